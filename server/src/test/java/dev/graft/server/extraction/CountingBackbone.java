package dev.graft.server.extraction;

import dev.graft.server.GraftException;
import dev.graft.server.backbones.Backbone;
import dev.graft.server.backbones.BackboneInfo;
import dev.graft.server.backbones.BatchState;
import dev.graft.server.backbones.BlockSteps;
import dev.graft.server.backbones.TokenBatch;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** A backbone made on demand that counts its blocks. */
final class CountingBackbone implements Backbone {
  private final Backbone backbone;
  private final ConcurrentLinkedQueue<Integer> made = new ConcurrentLinkedQueue<>();
  private final AtomicInteger live = new AtomicInteger();
  private final AtomicInteger mostLive = new AtomicInteger();

  /** What happens when a block is made. */
  volatile Runnable whenMaking = () -> {};

  CountingBackbone(Backbone backbone) {
    this.backbone = backbone;
  }

  /** Numbers of the blocks in the order in which they were made. */
  List<Integer> made() {
    return List.copyOf(made);
  }

  int live() {
    return live.get();
  }

  int mostLive() {
    return mostLive.get();
  }

  @Override
  public Optional<BlockSteps> steps(ComputeDtype dtype) {
    return backbone.steps(dtype).map(CountingSteps::new);
  }

  @Override
  public BackboneInfo info() {
    return backbone.info();
  }

  @Override
  public void load(ComputeDtype dtype) throws GraftException {
    backbone.load(dtype);
  }

  @Override
  public Tensor hiddenStates(Scope scope, TokenBatch batch, int layer, ComputeDtype dtype) {
    return backbone.hiddenStates(scope, batch, layer, dtype);
  }

  @Override
  public String programText(ComputeDtype dtype) {
    return backbone.programText(dtype);
  }

  @Override
  public void close() {
    backbone.close();
  }

  private final class CountingSteps implements BlockSteps {
    private final BlockSteps steps;

    CountingSteps(BlockSteps steps) {
      this.steps = steps;
    }

    @Override
    public BatchState embed(TokenBatch batch, int layer) {
      return steps.embed(batch, layer);
    }

    @Override
    public Block block(int index) {
      whenMaking.run();
      made.add(index);
      int now = live.incrementAndGet();
      mostLive.accumulateAndGet(now, Math::max);
      Block block = steps.block(index);
      return new Block() {
        @Override
        public void pass(BatchState state) {
          block.pass(state);
        }

        @Override
        public void close() {
          live.decrementAndGet();
          block.close();
        }
      };
    }

    @Override
    public Tensor finish(Scope scope, BatchState state) {
      return steps.finish(scope, state);
    }
  }
}
