/**
 * {@code graft bench}: speed against Python baselines, in turns on the same machine. Each
 * measurement is a process of its own, so that memory and start-up are its own too.
 */
package dev.graft.cli.bench;
