package dev.graft.server.backbones;

import dev.graft.server.backbones.Parameters.Found;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.torch.Kernel;
import dev.graft.server.torch.NativeHeap;
import dev.graft.server.torch.Program;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.Weights;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Blocks whose weights are in memory only as long as batches pass them. Each has mappings of its
 * own, so that the pages it has read are let go with it.
 */
final class OnDemandBlocks implements BlockSteps {
  private final Parameters parameters;
  private final Kernel kernel;
  private final Program program;
  private final WeightsLoader loader;
  private final Supplier<Weights> outside;
  private final Optional<TensorEntry> words;
  private final StoredBlocks stored;
  private final Consumer<TokenBatch> check;

  /**
   * @param outside weights outside the blocks, which are loaded at the first use and stay
   * @param words word embeddings that are not among them: their rows are read for each batch
   * @param check refuses batches that the model cannot take
   */
  OnDemandBlocks(
      Parameters parameters,
      Kernel kernel,
      Program program,
      WeightsLoader loader,
      Supplier<Weights> outside,
      Optional<TensorEntry> words,
      StoredBlocks stored,
      Consumer<TokenBatch> check) {
    this.parameters = parameters;
    this.kernel = kernel;
    this.program = program;
    this.loader = loader;
    this.outside = outside;
    this.words = words;
    this.stored = stored;
    this.check = check;
  }

  @Override
  public BatchState embed(TokenBatch batch, int layer) {
    check.accept(batch);
    TokenBatch filled = batch.filledFor(kernel);
    try (Scope scope = Scope.open(loader.device())) {
      BatchInputs inputs = BatchInputs.of(scope, filled);
      return BatchState.of(
          scope,
          inputs,
          program.callList(
              scope,
              "embed",
              inputs.ids(),
              words.map(table -> rows(scope, table, filled.ids())).stream().toList(),
              inputs.types(),
              inputs.lengths(),
              outside.get()),
          layer);
    }
  }

  private Tensor rows(Scope scope, TensorEntry table, long[] ids) {
    return scope.floats(stored.rows(table, ids), ids.length, table.shape()[1]);
  }

  @Override
  public Block block(int index) {
    stored.take(index);
    Map<String, Found> block = parameters.blocks().get(index);
    Scope scope = Scope.open(loader.device());
    try {
      return new LoadedBlock(scope, loader.block(scope, block, loader.files(scope)), index);
    } catch (Throwable e) { // whatever it is, what was made so far must not stay
      scope.close();
      throw e;
    }
  }

  @Override
  public Tensor finish(Scope scope, BatchState state) {
    try (Scope passing = Scope.open(loader.device())) {
      Tensor hidden = state.hidden();
      if (state.layer() == 0) {
        hidden = program.call(passing, "chosen", hidden, state.rows());
      } else if (state.layer() == parameters.blocks().size()) {
        hidden = program.call(passing, "finish", hidden, outside.get());
      }
      return program.call(scope, "of_sequences", hidden, state.lengths());
    }
  }

  /** The whole way of one batch. */
  Tensor hiddenStates(Scope scope, TokenBatch batch, int layer) {
    try (BatchState state = embed(batch, layer)) {
      for (int i = 0; i < layer; i++) {
        try (Block block = block(i)) {
          block.pass(state);
        }
      }
      return finish(scope, state);
    }
  }

  private final class LoadedBlock implements Block {
    private final Scope scope;
    private final Weights weights;
    private final int index;

    LoadedBlock(Scope scope, Weights weights, int index) {
      this.scope = scope;
      this.weights = weights;
      this.index = index;
    }

    @Override
    public void pass(BatchState state) {
      List<Tensor> rows = index == state.layer() - 1 ? state.rows() : List.of();
      try (Scope passed = Scope.open(loader.device())) {
        Tensor hidden =
            program.call(
                passed,
                "step",
                state.hidden(),
                state.tensors(),
                state.lengths(),
                rows,
                weights,
                index);
        if (rows.isEmpty()) {
          // In their place: a window's hidden states would else move through all of the memory
          // that is allocated for other things in between, and break it into pieces.
          loader.tensors().copy(hidden, state.hidden());
        } else {
          state.keep(hidden);
        }
      }
    }

    @Override
    public void close() {
      scope.close();
      if (!stored.fitMemory()) {
        NativeHeap.returnFreed();
      }
    }
  }
}
