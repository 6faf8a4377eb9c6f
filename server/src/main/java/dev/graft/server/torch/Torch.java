package dev.graft.server.torch;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.util.cuda.CudaUtils;
import dev.graft.server.GraftException;

/** Starts libtorch once, and prepares each thread that calls it. */
final class Torch {
  private static final String LIBRARIES = System.getenv("PYTORCH_LIBRARY_PATH");

  /** Null where libtorch cannot be loaded. */
  private static final Engine ENGINE;

  private static final EngineException FAILURE;

  static {
    // Natives come from jars or an installed libtorch; never from the network.
    System.setProperty("ai.djl.offline", "true");
    // DJL counts uses of its engine and reports them unless it is told not to.
    System.setProperty("OPT_OUT_TRACKING", "true");
    if (LIBRARIES != null) {
      InstalledLibtorch.in(LIBRARIES).ifPresent(Torch::name);
    }
    NativeHeap.boundProducts(TorchDevice.CPU.totalMemoryBytes());
    Engine engine = null;
    EngineException failure = null;
    try {
      if (LIBRARIES != null && InstalledLibtorch.folder(LIBRARIES).isEmpty()) {
        throw new EngineException("there is none"); // DJL would take its own without a word
      }
      engine = Engine.getEngine("PyTorch");
    } catch (EngineException e) {
      failure = e;
    }
    ENGINE = engine;
    FAILURE = failure;
  }

  /**
   * Tells DJL, which would take it for the libtorch it was built with; variables of the environment
   * come before this. DJL's layer for CUDA calls libtorch alone, so it does for any CUDA. Without a
   * driver libraries for CUDA cannot be loaded, and the CPU is what is left.
   */
  private static void name(InstalledLibtorch installed) {
    System.setProperty("PYTORCH_VERSION", installed.version());
    boolean usesGpu = installed.cuda() && CudaUtils.getGpuCount() > 0;
    System.setProperty("PYTORCH_FLAVOR", usesGpu ? "cu128" : "cpu");
  }

  /**
   * Per thread: one OpenMP thread (several spin at barriers and collapse when others want the
   * cores), no profiling graph executor (its first calls are slow and odd), and gradients on
   * (programs that must not record run in inference mode).
   */
  private static final ThreadLocal<Boolean> PREPARED =
      ThreadLocal.withInitial(
          () -> {
            engine();
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
    return engine().getGpuCount();
  }

  /** Version of the libtorch in use. */
  static String version() {
    return engine().getVersion();
  }

  /**
   * Of which every use of libtorch begins.
   *
   * @throws GraftException FAILED_PRECONDITION (LIBTORCH_UNAVAILABLE) if it cannot be loaded
   */
  static Engine engine() {
    if (ENGINE == null) {
      Throwable cause = FAILURE.getCause() == null ? FAILURE : FAILURE.getCause();
      throw GraftException.failedPrecondition(
              "LIBTORCH_UNAVAILABLE",
              LIBRARIES == null
                  ? "libtorch cannot be loaded: " + cause.getMessage()
                  : "The libtorch in PYTORCH_LIBRARY_PATH=%s cannot be loaded (%s). Use the version that DJL was built with, or build DJL's JNI layer for this one: docs/gpu.md says how."
                      .formatted(LIBRARIES, cause.getMessage()))
          .causedBy(FAILURE);
    }
    return ENGINE;
  }
}
