package dev.graft.server.extraction;

import dev.graft.server.backbones.BlockSteps;
import dev.graft.server.torch.Lanes;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.Callable;

/**
 * The schedule for backbones whose blocks are made on demand: windows of many batches go through
 * one block after the other, so that a block is read and decoded once for each window and not once
 * for each batch. A window takes what waits, up to what its hidden states may take, and what comes
 * while its first block is there; where little waits it is small. Which batches share a window
 * makes no difference to their features.
 */
final class LayerMajor implements AutoCloseable {
  /** Most bytes of a window's hidden states. */
  private static final long STATE_BYTES = 256L << 20;

  /** The part of the device's memory that they may take, where that is less. */
  private static final int STATE_FRACTION = 16;

  /**
   * Most tokens of a window that takes batches after it has begun. With so many, making the blocks
   * takes little of the time; with more, its results would come later for nothing.
   */
  private static final long LATE_TOKENS = 32 << 10;

  /** What happens with batches, on lanes' threads. */
  interface Listener {
    /**
     * A batch has passed all blocks, or need not.
     *
     * @param features does the rest, as a step on a lane
     */
    void onPassed(List<TokenizedItem> batch, Callable<float[]> features);

    /** Nothing follows. */
    void onError(Throwable error);
  }

  private final BatchComputation computation;
  private final BlockSteps steps;
  private final Lanes.Turns turns;
  private final int lanes;
  private final long windowTokens;
  private final Listener listener;

  /** Guarded by this. */
  private final Queue<List<TokenizedItem>> queue = new ArrayDeque<>();

  /** The one under way; null when nothing is. Guarded by this. */
  private Window window;

  /** Its batches that are not finished. Guarded by this. */
  private int unfinished;

  /** Of all its batches. Guarded by this. */
  private long tokens;

  /**
   * @param tokenBytes bytes of a token's hidden state
   */
  LayerMajor(
      BatchComputation computation,
      BlockSteps steps,
      Extraction extraction,
      long tokenBytes,
      Lanes.Turns turns,
      Listener listener) {
    this.computation = computation;
    this.steps = steps;
    this.turns = turns;
    this.lanes = extraction.lanes();
    this.windowTokens =
        Math.min(STATE_BYTES, extraction.device().totalMemoryBytes() / STATE_FRACTION) / tokenBytes;
    this.listener = listener;
  }

  /** Most tokens of a window; a batch that is longer is a window of its own. */
  long windowTokens() {
    return windowTokens;
  }

  void add(List<List<TokenizedItem>> batches) {
    synchronized (this) {
      queue.addAll(batches);
    }
    proceed();
  }

  /** The listener is done with a batch. */
  void onFinished() {
    synchronized (this) {
      unfinished--;
      if (unfinished > 0) {
        return;
      }
      window = null;
    }
    proceed();
  }

  /** Hands on what waits: to the window under way as long as that takes more, or to a new one. */
  private void proceed() {
    Window proceeding;
    synchronized (this) {
      if (queue.isEmpty()) {
        return;
      }
      long most = Math.min(windowTokens, LATE_TOKENS);
      if (window == null) {
        window = new Window(steps, computation.depth(), turns, new Passing());
        tokens = 0;
        most = windowTokens;
      }
      while (!queue.isEmpty() && admit(queue.element(), most)) {
        queue.remove();
      }
      proceeding = window;
    }
    proceeding.embedAdmitted(lanes);
  }

  private boolean admit(List<TokenizedItem> batch, long most) {
    long more = batch.stream().mapToLong(item -> item.ids().length).sum();
    if ((tokens > 0 && tokens + more > most) || !window.admit(new Passage(batch))) {
      return false;
    }
    tokens += more;
    unfinished++;
    return true;
  }

  /** Frees what a window that was not finished holds. No step may run. */
  @Override
  public synchronized void close() {
    queue.clear();
    if (window != null) {
      window.close();
    }
  }

  private final class Passing implements Window.Listener {
    @Override
    public Optional<float[]> embed(Passage passage) {
      Optional<float[]> known = computation.known(passage.batch());
      if (known.isEmpty()) {
        passage.begin(steps.embed(computation.tokens(passage.batch()), computation.depth()));
      }
      return known;
    }

    @Override
    public void onKnown(Passage passage, float[] features) {
      listener.onPassed(passage.batch(), () -> features);
    }

    @Override
    public void onPassed(Passage passage) {
      listener.onPassed(passage.batch(), () -> finish(passage));
    }

    private float[] finish(Passage passage) {
      try (passage) {
        return computation.finish(steps, passage.state(), passage.batch());
      }
    }

    @Override
    public void onError(Throwable error) {
      listener.onError(error);
    }
  }
}
