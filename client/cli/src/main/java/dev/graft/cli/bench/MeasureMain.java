package dev.graft.cli.bench;

import dev.graft.cli.output.Directories;
import dev.graft.server.rpc.WorkerOptions;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.v1.QuantizationScheme;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes one measurement in this process and prints it as a line of JSON. */
@Command(name = "measure")
public final class MeasureMain implements Callable<Integer> {
  @Parameters(description = "idle, train, extract, extract-texts or quantize.")
  private String what;

  @Option(names = "--model")
  private Optional<Path> model = Optional.empty();

  @Option(names = "--items")
  private Path items;

  @Option(names = "--dtype")
  private String dtype = "auto";

  @Option(names = "--token-flops")
  private double tokenFlops;

  @Option(names = "--weights-memory")
  private long weightsMemory;

  @Option(names = "--scheme")
  private String scheme;

  @Option(names = "--output", description = "Of quantize; what is there is deleted first.")
  private Optional<Path> output = Optional.empty();

  private MeasureMain() {}

  public static void main(String[] args) {
    System.exit(new CommandLine(new MeasureMain()).execute(args));
  }

  @Override
  public Integer call() throws IOException {
    WorkerOptions options =
        new WorkerOptions()
            .computeDtype(computeDtype())
            .weightsMemoryBytes(weightsMemory)
            .writableRoots(output.map(Path::getParent).stream().toList());
    try (BenchProcess process = new BenchProcess(model, options)) {
      switch (what) {
        case "idle" -> process.idle();
        case "train" -> process.train(BenchItems.read(items), tokenFlops);
        case "extract" -> process.extract(BenchItems.read(items), tokenFlops);
        case "extract-texts" -> process.extractInTurns(BenchItems.read(items));
        case "quantize" -> {
          Directories.delete(output.orElseThrow());
          process.quantize(
              QuantizationScheme.valueOf("QUANTIZATION_SCHEME_" + scheme.toUpperCase(Locale.ROOT)),
              output.orElseThrow());
        }
        default -> throw new IllegalArgumentException(what);
      }
      process.print(System.out);
    }
    return 0;
  }

  private Optional<ComputeDtype> computeDtype() {
    return dtype.equals("auto")
        ? Optional.empty()
        : Optional.of(ComputeDtype.valueOf(dtype.toUpperCase(Locale.ROOT).replace('-', '_')));
  }
}
