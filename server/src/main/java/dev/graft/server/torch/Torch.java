package dev.graft.server.torch;

import ai.djl.engine.Engine;
import ai.djl.pytorch.jni.JniUtils;

/** Starts libtorch once, and prepares each thread that calls it. */
final class Torch {
  private static final Engine ENGINE;

  static {
    // Natives come from jars or an installed libtorch; never from the network.
    System.setProperty("ai.djl.offline", "true");
    // DJL counts uses of its engine and reports them unless it is told not to.
    System.setProperty("OPT_OUT_TRACKING", "true");
    ENGINE = Engine.getEngine("PyTorch");
  }

  /**
   * Per thread: one OpenMP thread (several spin at barriers and collapse when others want the
   * cores), no profiling graph executor (its first calls are slow and odd), and gradients on
   * (programs that must not record run in inference mode).
   */
  private static final ThreadLocal<Boolean> PREPARED =
      ThreadLocal.withInitial(
          () -> {
            JniUtils.setGraphExecutorOptimize(false);
            JniUtils.setNumThreads(1);
            JniUtils.setGradMode(true);
            return true;
          });

  private Torch() {}

  static void prepareThread() {
    PREPARED.get();
  }

  static int gpuCount() {
    return ENGINE.getGpuCount();
  }

  /** Version of the libtorch in use. */
  static String version() {
    return ENGINE.getVersion();
  }

  static Engine engine() {
    return ENGINE;
  }
}
