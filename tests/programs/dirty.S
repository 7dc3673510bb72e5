/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * A boot sector that dirties a virtual machine's memory, for a migration. It adds one to the first
 * byte of each page from 1 MiB to END, for ever, and writes a dot to the serial port after each
 * round.
 */
#define START 0x100000
#define END 0x1000000
#define COM1 0x3f8

	.code16
	.globl _start
_start:
	cli
	xorw %ax, %ax
	movw %ax, %ds
	/* The A20 gate, by the chipset's port. */
	inb $0x92, %al
	orb $2, %al
	outb %al, $0x92
	lgdtl gdt_pointer
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl $8, $protected

	.code32
protected:
	movw $16, %ax
	movw %ax, %ds
round:
	movl $START, %ebx
page:
	incb (%ebx)
	addl $4096, %ebx
	cmpl $END, %ebx
	jb page
	movb $'.', %al
	movw $COM1, %dx
	outb %al, %dx
	jmp round

	.balign 8
gdt:
	.quad 0
	.quad 0x00cf9a000000ffff /* code: all 4 GiB */
	.quad 0x00cf92000000ffff /* data: the same */
gdt_pointer:
	.word gdt_pointer - gdt - 1
	.long gdt

	.org 510
	.word 0xaa55
