package dev.graft.cli.bench;

import dev.graft.server.torch.ComputeDtype;
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
  @Parameters(paramLabel = "WHAT", description = "idle, train or extract-texts.")
  private String what;

  @Option(names = "--model")
  private Optional<Path> model = Optional.empty();

  @Option(names = "--items")
  private Path items;

  @Option(names = "--dtype")
  private String dtype = "auto";

  private MeasureMain() {}

  public static void main(String[] args) {
    System.exit(new CommandLine(new MeasureMain()).execute(args));
  }

  @Override
  public Integer call() throws IOException {
    try (BenchProcess process = new BenchProcess(model, computeDtype())) {
      switch (what) {
        case "idle" -> process.idle();
        case "train" -> process.train(BenchItems.read(items));
        case "extract-texts" -> process.extract(BenchItems.read(items));
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
