package dev.graft.cli;

import dev.graft.cli.bench.Bench;
import dev.graft.server.torch.ComputeDtype;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code graft bench}. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = {
      "Measures extraction and training on this machine.",
      "With --python also the Python baselines, in turns, and prints ratios of medians.",
      "Writes a random model of SmolLM2-135M's shape (538 MB) to the cache directory first."
    })
final class BenchCommand implements Callable<Integer> {
  @ParentCommand private GraftCommand graft;

  @Option(
      names = "--python",
      paramLabel = "FILE",
      description = "A python with torch, transformers, onnxruntime and tokenizers installed.")
  private Optional<Path> python = Optional.empty();

  @Option(
      names = "--rounds",
      paramLabel = "COUNT",
      defaultValue = "3",
      description = "Runs of each measurement, in turns. Default: ${DEFAULT-VALUE}.")
  private int rounds;

  @Option(
      names = "--items",
      paramLabel = "COUNT",
      defaultValue = "256",
      description = "Items to train on. Default: ${DEFAULT-VALUE}.")
  private int items;

  @Option(
      names = "--passages",
      paramLabel = "COUNT",
      defaultValue = "1000",
      description = "Passages that MiniLM extracts. Default: ${DEFAULT-VALUE}.")
  private int passages;

  @Option(names = "--only", paramLabel = "PART", description = "Only `train` or only `extract`.")
  private Optional<String> only = Optional.empty();

  @Option(names = "--measure", hidden = true, description = "One measurement in this process.")
  private Optional<String> measure = Optional.empty();

  @Option(names = "--dtype", hidden = true, description = "Compute dtype of --measure.")
  private Optional<String> dtype = Optional.empty();

  @Override
  public Integer call() throws IOException, InterruptedException {
    Bench bench =
        new Bench(
            DemoBackbone.cache(),
            DemoBackbone.unpack(),
            DemoCommand.passages().subList(0, passages),
            items,
            graft.surroundings().out());
    if (measure.isPresent()) {
      bench.measure(
          measure.get(), dtype.map(name -> ComputeDtype.valueOf(name.toUpperCase(Locale.ROOT))));
    } else {
      bench.compare(python, rounds, only);
    }
    return 0;
  }
}
