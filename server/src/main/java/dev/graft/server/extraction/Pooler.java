package dev.graft.server.extraction;

import dev.graft.server.torch.Program;
import dev.graft.server.torch.ProgramText;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.TorchDevice;
import java.util.Arrays;
import java.util.Map;

/** Pools hidden states, in 32-bit floats whatever type they have. */
public final class Pooler implements AutoCloseable {
  private final Program program;

  public Pooler(TorchDevice device) {
    this.program = Program.assemble(device, ProgramText.of(Pooler.class, "pooling.py", Map.of()));
  }

  /**
   * Pools a batch.
   *
   * @param hidden {@code [rows, size]}: those of {@link Pooling#rows}
   * @param lengths tokens of each sequence
   * @return {@code [batch, size]}, or with {@link Pooling#NONE} {@code [sum of lengths, size]}
   */
  Tensor pool(Scope scope, Tensor hidden, int[] lengths, Pooling pooling, boolean normalize) {
    String method =
        switch (pooling) {
          case LAST, CLS, NONE -> "each";
          case MEAN -> "mean";
          case MAX -> "max";
        };
    return program.call(
        scope, method, hidden, Arrays.stream(lengths).asLongStream().toArray(), normalize);
  }

  /** The program's text, from which the bytes of features follow. */
  public String text() {
    return program.text();
  }

  @Override
  public void close() {
    program.close();
  }
}
