package dev.graft.cli.bench;

/**
 * How often measurements are made, in turns.
 *
 * @param most of each but the naive loops
 * @param naive of the naive loops, which take minutes
 */
public record BenchRounds(int most, int naive) {}
