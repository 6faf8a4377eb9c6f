package dev.graft.cli;

import dev.graft.cli.output.PartialDirectory;
import dev.graft.cli.progress.Progress;
import dev.graft.client.GraftClient;
import dev.graft.client.QuantizeCall;
import dev.graft.client.QuantizeEvent;
import dev.graft.v1.FileChunk;
import dev.graft.v1.QuantizeRequest;
import dev.graft.v1.QuantizeResult;
import dev.graft.v1.QuantizedTensor;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** One Quantize call, with its progress and a table of what it cost. */
final class QuantizationRun {
  private static final int WORST = 5;

  /** What came out. */
  record Summary(QuantizeResult result, List<QuantizedTensor> tensors, double seconds) {}

  private final Surroundings surroundings;
  private final GraftClient client;

  QuantizationRun(Surroundings surroundings, GraftClient client) {
    this.surroundings = surroundings;
    this.client = client;
  }

  /**
   * Runs the call.
   *
   * @param directory takes the files that are sent back
   */
  @SuppressWarnings("try") // the registration is held open, not used
  Summary perform(QuantizeRequest request, Optional<PartialDirectory> directory)
      throws IOException {
    long start = surroundings.clock().millis();
    List<QuantizedTensor> tensors = new ArrayList<>();
    try (QuantizeCall call = client.quantize(request);
        Interruption.Registration cancel = surroundings.interruption().onInterrupt(call::cancel);
        Progress progress = surroundings.progress()) {
      progress.status("reading " + request.getSource().getPath());
      QuantizeResult result = null;
      while (call.hasNext()) {
        QuantizeEvent event = call.next();
        if (event instanceof QuantizeEvent.TensorDone done) {
          tensors.add(done.tensor());
          progress.update(
              "quantizing",
              "tensors",
              tensors.size(),
              done.tensor().getTotal(),
              done.tensor().getName());
        } else if (event instanceof QuantizeEvent.FilePart file) {
          FileChunk chunk = file.part().getChunk();
          directory
              .orElseThrow()
              .write(
                  file.part().getName(),
                  chunk.getOffset(),
                  chunk.getData().asReadOnlyByteBuffer(),
                  file.isLast());
          progress.update(
              "receiving " + file.part().getName(),
              "bytes",
              chunk.getOffset() + chunk.getData().size(),
              chunk.getTotalBytes(),
              "");
        } else if (event instanceof QuantizeEvent.Completed completed) {
          result = completed.result();
        }
      }
      return new Summary(result, tensors, (surroundings.clock().millis() - start) / 1e3);
    }
  }

  /** Says what was made, and which tensors lost most. */
  void report(String copy, Summary summary) {
    QuantizeResult result = summary.result();
    PrintStream out = surroundings.out();
    out.printf(
        Locale.ROOT,
        "%s: %s -> %s (%.1f %%) in %.1f s, relative error %.4g, digest %s%n",
        copy,
        megabytes(result.getSourceBytes()),
        megabytes(result.getResultBytes()),
        percentOfSource(result),
        summary.seconds(),
        result.getRelativeError(),
        result.getDigest());
    List<QuantizedTensor> worst =
        summary.tensors().stream()
            .filter(tensor -> tensor.getRelativeError() != 0)
            .sorted(Comparator.comparingDouble(QuantizedTensor::getRelativeError).reversed())
            .limit(WORST)
            .toList();
    if (worst.isEmpty()) {
      return;
    }
    int width = worst.stream().mapToInt(tensor -> tensor.getName().length()).max().orElse(0);
    String row = "%-" + Math.max(width, "largest errors".length()) + "s  %10s  %10s  %9s%n";
    out.printf(row, "largest errors", "relative", "absolute", "size");
    for (QuantizedTensor tensor : worst) {
      out.printf(
          row,
          tensor.getName(),
          String.format(Locale.ROOT, "%.4g", tensor.getRelativeError()),
          String.format(Locale.ROOT, "%.4g", tensor.getMaxError()),
          String.format(
              Locale.ROOT,
              "%.1f %%",
              100.0 * tensor.getResultBytes() / Math.max(1, tensor.getSourceBytes())));
    }
  }

  /** The size of a copy in percent of its source's. */
  static double percentOfSource(QuantizeResult result) {
    return 100.0 * result.getResultBytes() / Math.max(1, result.getSourceBytes());
  }

  static String megabytes(long bytes) {
    return String.format(Locale.ROOT, bytes < 10_000_000 ? "%.2f MB" : "%.1f MB", bytes / 1e6);
  }
}
