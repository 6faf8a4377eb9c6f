package dev.graft.cli;

import dev.graft.cli.bench.Bench;
import dev.graft.cli.bench.BenchPart;
import dev.graft.cli.bench.BenchRounds;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code graft bench}. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = {
      "Measures extraction, training and quantizing on this machine.",
      "With --python also the Python baselines, in turns, and prints ratios of medians.",
      "Writes random models (538 MB and 2.5 GB) to the cache directory first."
    })
final class BenchCommand implements Callable<Integer> {
  @ParentCommand private GraftCommand graft;
  @Spec private CommandSpec spec;

  @Option(
      names = "--python",
      paramLabel = "FILE",
      description =
          "A python with torch, transformers, onnxruntime and tokenizers, and for `quantized`"
              + " bitsandbytes and accelerate.")
  private Optional<Path> python = Optional.empty();

  @Option(
      names = "--rounds",
      paramLabel = "COUNT",
      defaultValue = "3",
      description = "Runs of each measurement, in turns. Default: ${DEFAULT-VALUE}.")
  private int rounds;

  @Option(
      names = "--naive-rounds",
      paramLabel = "COUNT",
      defaultValue = "1",
      description = "Runs of each naive loop, which take minutes. Default: ${DEFAULT-VALUE}.")
  private int naiveRounds;

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

  @Option(
      names = "--only",
      paramLabel = "PART",
      split = ",",
      converter = Part.class,
      completionCandidates = Part.class,
      description = "Only these parts: ${COMPLETION-CANDIDATES}. Default: all.")
  private Set<BenchPart> only = EnumSet.allOf(BenchPart.class);

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (rounds < 1 || naiveRounds < 0) {
      throw new ParameterException(
          spec.commandLine(), "--rounds must be at least 1, and --naive-rounds at least 0");
    }
    Bench bench =
        new Bench(
            DemoBackbone.cache(),
            DemoBackbone.unpack(),
            DemoCommand.passages().subList(0, passages),
            items,
            graft.surroundings().out());
    bench.compare(only, python, new BenchRounds(rounds, naiveRounds));
    return 0;
  }

  private static final class Part implements ITypeConverter<BenchPart>, Iterable<String> {
    @Override
    public BenchPart convert(String name) {
      return Arrays.stream(BenchPart.values())
          .filter(part -> name(part).equals(name))
          .findFirst()
          .orElseThrow(
              () ->
                  new TypeConversionException(
                      "'" + name + "' is not one of " + String.join(", ", this)));
    }

    private static String name(BenchPart part) {
      return part.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public Iterator<String> iterator() {
      return Arrays.stream(BenchPart.values()).map(Part::name).iterator();
    }
  }
}
