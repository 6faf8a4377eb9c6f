package dev.graft.server.extraction;

import dev.graft.server.backbones.BlockSteps;
import dev.graft.server.torch.Lanes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.function.Consumer;

/**
 * Several batches on their way through the blocks, each block made once for all of them.
 *
 * <p>What a lane does is small: to embed a batch, to make a block, to take one batch through one
 * block. A batch goes on as soon as it has passed a block and the next one is there; nothing else
 * holds it up. A block is begun when batches begin to pass the one before, ahead of their steps,
 * and freed when the last batch has passed it.
 */
final class Window implements AutoCloseable {
  /**
   * Blocks in memory: the one that batches pass, and one that is being made or that the first pass.
   */
  private static final int MOST_BLOCKS = 2;

  /** Batches that are embedded before the first block is asked for, for each lane. */
  private static final int EMBEDDED_AHEAD = 2;

  /** What happens with the batches, on lanes' threads. */
  interface Listener {
    /** Embeds a batch, or returns what is known of it; part of a step. */
    Optional<float[]> embed(Passage passage);

    /** A batch's features were known already. */
    void onKnown(Passage passage, float[] features);

    /** A batch has passed all blocks. */
    void onPassed(Passage passage);

    /** Nothing follows. */
    void onError(Throwable error);
  }

  private final BlockSteps steps;
  private final Lanes.Turns turns;
  private final Listener listener;

  /** Guarded by this. */
  private final List<Passage> passages = new ArrayList<>();

  /** Guarded by this. */
  private final Queue<Passage> toEmbed = new ArrayDeque<>();

  /** By number. Guarded by this. */
  private final List<Stage> stages = new ArrayList<>();

  /**
   * Batches that are to pass the blocks: all but those whose features are known. Guarded by this.
   */
  private int taking;

  /** Of those, how many are being embedded. Guarded by this. */
  private int embedding;

  /**
   * The last block that batches have begun to pass; -2 while no batch waits for the first. Guarded
   * by this.
   */
  private int reached = -2;

  /** The block to make next. Guarded by this. */
  private int next;

  /** Guarded by this. */
  private boolean making;

  /** Blocks in memory, with that being made. Guarded by this. */
  private int live;

  /** Guarded by this. */
  private boolean over;

  /** A block's place. Guarded by the window. */
  private static final class Stage {
    /** Null before it is made, and after all have passed. */
    private BlockSteps.Block block;

    private boolean freed;
    private int passed;
    private final List<Passage> waiting = new ArrayList<>();
  }

  /**
   * @param depth how many blocks the batches pass
   */
  Window(BlockSteps steps, int depth, Lanes.Turns turns, Listener listener) {
    this.steps = steps;
    this.turns = turns;
    this.listener = listener;
    for (int i = 0; i < depth; i++) {
      stages.add(new Stage());
    }
  }

  /**
   * Takes one more batch, unless the first block has been freed: it stays until this has passed.
   */
  synchronized boolean admit(Passage passage) {
    if (over || (!stages.isEmpty() && stages.get(0).freed)) {
      return false;
    }
    passages.add(passage);
    toEmbed.add(passage);
    taking++;
    return true;
  }

  /**
   * Begins with what was admitted, as far as lanes have room for it.
   *
   * @param lanes how many steps run at the same time
   */
  void embedAdmitted(int lanes) {
    change(
        actions -> {
          while (embedding < EMBEDDED_AHEAD * lanes && !toEmbed.isEmpty()) {
            embedNext(actions);
          }
        });
  }

  /** Changes the state, and acts on it without holding the lock: others' code has locks too. */
  private void change(Consumer<List<Runnable>> change) {
    List<Runnable> actions = new ArrayList<>();
    synchronized (this) {
      if (!over) {
        change.accept(actions);
      }
    }
    actions.forEach(Runnable::run);
  }

  private void fail(Throwable error) {
    change(
        actions -> {
          over = true;
          actions.add(() -> listener.onError(error));
        });
  }

  private void embedNext(List<Runnable> actions) {
    Passage passage = toEmbed.poll();
    if (passage != null) {
      embedding++;
      actions.add(
          () ->
              turns.submit(
                  () -> listener.embed(passage),
                  (known, error) -> onEmbedded(passage, known, error)));
    }
  }

  private void onEmbedded(Passage passage, Optional<float[]> known, Throwable error) {
    if (error != null) {
      fail(error);
      return;
    }
    change(
        actions -> {
          embedding--;
          if (known.isPresent()) {
            taking--;
            stages.forEach(stage -> freeIfPassed(stage, actions));
            makeNext(actions);
            actions.add(() -> listener.onKnown(passage, known.get()));
          } else {
            proceed(passage, 0, actions);
          }
          embedNext(actions);
        });
  }

  /** Takes a batch to a block, or to where it waits for it. */
  private void proceed(Passage passage, int index, List<Runnable> actions) {
    if (index == stages.size()) {
      actions.add(() -> listener.onPassed(passage));
      return;
    }
    Stage stage = stages.get(index);
    reached = Math.max(reached, stage.block == null ? index - 1 : index);
    makeNext(actions);
    if (stage.block == null) {
      stage.waiting.add(passage);
    } else {
      pass(passage, index, actions);
    }
  }

  private void makeNext(List<Runnable> actions) {
    if (making || next == stages.size() || next > reached + 1 || live == MOST_BLOCKS) {
      return;
    }
    making = true;
    live++;
    int index = next++;
    actions.add(
        () ->
            turns.submit(() -> steps.block(index), (block, error) -> onMade(index, block, error)));
  }

  private void onMade(int index, BlockSteps.Block block, Throwable error) {
    if (error != null) {
      fail(error);
      return;
    }
    Stage stage = stages.get(index);
    synchronized (this) {
      making = false;
      stage.block = block; // even when all is over: closing frees it
    }
    change(
        actions -> {
          freeIfPassed(stage, actions);
          if (!stage.waiting.isEmpty()) {
            reached = Math.max(reached, index);
          }
          makeNext(actions); // before the batches' steps: it is to be there after them
          stage.waiting.forEach(passage -> pass(passage, index, actions));
          stage.waiting.clear();
        });
  }

  private void pass(Passage passage, int index, List<Runnable> actions) {
    BlockSteps.Block block = stages.get(index).block;
    actions.add(
        () ->
            turns.submit(
                () -> {
                  block.pass(passage.state());
                  return true;
                },
                (done, error) -> onPassed(passage, index, error)));
  }

  private void onPassed(Passage passage, int index, Throwable error) {
    if (error != null) {
      fail(error);
      return;
    }
    change(
        actions -> {
          Stage stage = stages.get(index);
          stage.passed++;
          freeIfPassed(stage, actions);
          makeNext(actions);
          proceed(passage, index + 1, actions);
        });
  }

  private void freeIfPassed(Stage stage, List<Runnable> actions) {
    if (stage.block != null && stage.passed == taking) {
      actions.add(stage.block::close);
      stage.block = null;
      stage.freed = true;
      live--;
    }
  }

  /** Frees what is left of it. No step may run. */
  @Override
  public void close() {
    synchronized (this) {
      over = true;
      for (Stage stage : stages) {
        if (stage.block != null) {
          stage.block.close();
          stage.block = null;
        }
      }
      passages.forEach(Passage::close);
    }
  }
}
