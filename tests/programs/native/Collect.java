// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Two threads replace objects of a table, and leave garbage of all ages. After three seconds to
// warm up it prints "ready"; after a line of input it works for the seconds of its argument, and
// prints how many objects it has replaced.

import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

public class Collect {
	static final int OBJECTS = 200000;
	static final AtomicLong replaced = new AtomicLong();
	static volatile Object sink;

	static void replace(byte[][] table, int seed) {
		Random random = new Random(seed);
		for (;;) {
			for (int i = 0; i < 1000; i++) {
				byte[] old = table[random.nextInt(table.length)];
				sink = new StringBuilder("object ").append(old == null ? 0 : old.length).toString();
				table[random.nextInt(table.length)] = new byte[64 + random.nextInt(1500)];
			}
			replaced.addAndGet(1000);
		}
	}

	public static void main(String[] args) throws Exception {
		byte[][] table = new byte[OBJECTS][];
		for (int seed = 1; seed <= 2; seed++) {
			int mine = seed;
			Thread thread = new Thread(() -> replace(table, mine));
			thread.setDaemon(true);
			thread.start();
		}
		Thread.sleep(3000);
		System.out.println("ready");
		System.in.read();
		long before = replaced.get();
		Thread.sleep(Long.parseLong(args[0]) * 1000);
		System.out.println("done " + (replaced.get() - before));
		Thread.sleep(60000); // until it is killed
	}
}
