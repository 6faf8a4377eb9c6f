package dev.graft.server.quantizing;

import java.util.Arrays;

/**
 * The sum of 32-bit floats in the order in which PyTorch's kernel for CPUs adds them ({@code
 * cascade_sum} of aten/src/ATen/native/cpu/SumKernel.cpp, on vectors of 256 bits and one thread),
 * for the last bit of a sum is part of what a quantizer stores.
 */
final class CascadeSum {
  private static final int LANES = 8;

  /** Vectors that are added side by side. */
  private static final int UNROLLED = 4;

  private static final int LEVELS = 4;

  private CascadeSum() {}

  static float mean(float[] values) {
    return sum(values) / values.length;
  }

  static float sum(float[] values) {
    // What is too short for one vector is added as vectors of one lane are.
    int lanes = values.length < LANES ? 1 : LANES;
    int vectors = values.length / lanes;
    float[] sums = unrolledSums(values, vectors / UNROLLED, lanes * UNROLLED);
    for (int vector = vectors / UNROLLED * UNROLLED; vector < vectors; vector++) {
      add(values, vector * lanes, sums, lanes);
    }
    for (int i = 1; i < UNROLLED; i++) {
      add(sums, i * lanes, sums, lanes);
    }
    float sum = 0;
    for (int i = vectors * lanes; i < values.length; i++) {
      sum += values[i];
    }
    for (int lane = 0; lane < lanes; lane++) {
      sum += sums[lane];
    }
    return sum;
  }

  /** Sums of the columns of a [rows, columns] matrix, through partial sums of partial sums. */
  private static float[] unrolledSums(float[] values, int rows, int columns) {
    int power = Math.max(4, ceilLog2(rows) / LEVELS);
    int step = 1 << power;
    float[][] sums = new float[LEVELS][columns];
    int row = 0;
    while (row + step <= rows) {
      for (int end = row + step; row < end; row++) {
        add(values, row * columns, sums[0], columns);
      }
      for (int level = 1; level < LEVELS; level++) {
        add(sums[level - 1], 0, sums[level], columns);
        Arrays.fill(sums[level - 1], 0);
        if ((row & ((step - 1) << (level * power))) != 0) {
          break;
        }
      }
    }
    for (; row < rows; row++) {
      add(values, row * columns, sums[0], columns);
    }
    for (int level = 1; level < LEVELS; level++) {
      add(sums[level], 0, sums[0], columns);
    }
    return sums[0];
  }

  private static void add(float[] from, int fromIndex, float[] to, int count) {
    for (int i = 0; i < count; i++) {
      to[i] += from[fromIndex + i];
    }
  }

  private static int ceilLog2(int value) {
    return value <= 2 ? 1 : Integer.SIZE - Integer.numberOfLeadingZeros(value - 1);
  }
}
