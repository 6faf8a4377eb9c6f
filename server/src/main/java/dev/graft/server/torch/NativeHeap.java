package dev.graft.server.torch;

import com.sun.jna.Function;
import com.sun.jna.NativeLong;
import com.sun.jna.Platform;

/** The heap of the C library, in which a CPU's tensors lie. */
public final class NativeHeap {
  /** {@code M_MMAP_THRESHOLD} of {@code <malloc.h>}. */
  private static final int MMAP_THRESHOLD = -3;

  /** Less than the weights of most layers, and more than most of what a batch makes in passing. */
  private static final int LARGE_BYTES = 4 << 20;

  /** Of which each keeps its code, by default. */
  private static final int MOST_PRODUCTS = 1024;

  /** As many as batches of a few lanes find theirs among. */
  private static final int FEWEST_PRODUCTS = 128;

  /** What code and tables of one take. */
  private static final int PRODUCT_BYTES = 256 << 10;

  private static final int MEMORY_FRACTION = 16;

  private NativeHeap() {}

  /**
   * Bounds what oneDNN keeps of the products that it has made code for, to a part of the memory.
   * Called before the first one; {@code ONEDNN_PRIMITIVE_CACHE_CAPACITY} in the environment counts
   * before this.
   */
  static void boundProducts(long memoryBytes) {
    int most = products(memoryBytes);
    if (most < MOST_PRODUCTS && Platform.isLinux()) {
      Function.getFunction("c", "setenv")
          .invokeInt(new Object[] {"ONEDNN_PRIMITIVE_CACHE_CAPACITY", "" + most, 0});
    }
  }

  static int products(long memoryBytes) {
    long fitting = memoryBytes / MEMORY_FRACTION / PRODUCT_BYTES;
    return (int) Math.max(FEWEST_PRODUCTS, Math.min(MOST_PRODUCTS, fitting));
  }

  /**
   * From now on what is large goes back to the system as soon as it is freed. By itself glibc
   * learns from what it sees freed to keep up to 64 MB in each thread's heap. In turn the system
   * clears pages for each large tensor, so this is for where memory is scarce. It holds for the
   * whole process. Nothing happens where the C library is another.
   */
  public static void returnLargeBlocks() {
    if (Platform.isLinux()) {
      Function.getFunction("c", "mallopt").invokeInt(new Object[] {MMAP_THRESHOLD, LARGE_BYTES});
    }
  }

  /**
   * Gives what was freed so far back to the system, large or not: tensors of many sizes break a
   * heap into pieces that fit none. For now and then, since the pages are cleared when they are
   * used again. Nothing happens where the C library is another.
   */
  public static void returnFreed() {
    if (Platform.isLinux()) {
      Function.getFunction("c", "malloc_trim").invokeInt(new Object[] {new NativeLong(0)});
    }
  }
}
