package dev.graft.server.torch;

import com.sun.jna.Function;
import com.sun.jna.Platform;

/** The heap of the C library, in which a CPU's tensors lie. */
public final class NativeHeap {
  /** {@code M_MMAP_THRESHOLD} of {@code <malloc.h>}. */
  private static final int MMAP_THRESHOLD = -3;

  private static final int LARGE_BYTES = 256 << 10;

  private NativeHeap() {}

  /**
   * From now on what is large goes back to the system as soon as it is freed. By itself glibc
   * learns from what it sees freed to keep up to 64 MB in each thread's heap, and tensors of many
   * sizes break that into pieces that fit none: half as much memory again. In turn the system
   * clears pages for each tensor, which takes up to a fifth of the time, so this is for where
   * memory is scarce. It holds for the whole process. Nothing happens where the C library is
   * another.
   */
  public static void returnLargeBlocks() {
    if (Platform.isLinux()) {
      Function.getFunction("c", "mallopt").invokeInt(new Object[] {MMAP_THRESHOLD, LARGE_BYTES});
    }
  }
}
