package dev.graft.cli.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Extraction on a backbone that is four times larger than memory, against the same with enough. */
final class LimitedComparison implements Comparison {
  private static final int TIMES_LARGER = 4;
  private static final String LIMITED = "extract limited";
  private static final String UNLIMITED = "extract unlimited";

  private final Processes processes;
  private final Path model;
  private final Path items;
  private final BenchRounds rounds;
  private final long modelBytes;
  private final Optional<MemoryLimit> limit;

  LimitedComparison(Processes processes, Path model, Path items, BenchRounds rounds)
      throws IOException, InterruptedException {
    this.processes = processes;
    this.model = model;
    this.items = items;
    this.rounds = rounds;
    this.modelBytes = Files.size(model.resolve("model.safetensors"));
    this.limit = MemoryLimit.of(modelBytes / TIMES_LARGER);
  }

  @Override
  public List<Run> runs() {
    List<String> limited = extract("--weights-memory", "" + modelBytes / TIMES_LARGER / 2);
    return List.of(
        new Run(
            LIMITED,
            fromDisk(limit.map(bound -> bound.around(limited)).orElse(limited)),
            rounds.most()),
        new Run(UNLIMITED, extract(), rounds.most()));
  }

  private List<String> extract(String... more) {
    List<String> command =
        new ArrayList<>(
            processes.own(
                "extract",
                "--model",
                model.toString(),
                "--items",
                items.toString(),
                "--token-flops",
                "" + BenchModel.LARGE.tokenFlops()));
    command.addAll(List.of(more));
    return command;
  }

  /** Pages that another process has read would cost the limited one nothing. */
  private List<String> fromDisk(List<String> command) {
    List<String> whole = new ArrayList<>();
    whole.addAll(
        List.of(
            "sh",
            "-c",
            "sync \"$0\" && dd if=\"$0\" iflag=nocache count=0 status=none && exec \"$@\""));
    whole.add(model.resolve("model.safetensors").toString());
    whole.addAll(command);
    return whole;
  }

  @Override
  public void print(Results results, PrintStream out) {
    results.printSpeed(out, "limited / unlimited", LIMITED, UNLIMITED);
    out.printf(
        Locale.ROOT,
        "backbone of %.0f MB, memory of the limited process %s%n",
        modelBytes / 1e6,
        limit
            .map(
                bound ->
                    String.format(
                        Locale.ROOT,
                        "%.0f MB by %s",
                        modelBytes / 1e6 / TIMES_LARGER,
                        bound.description()))
            .orElse(
                "not limited but for --weights-memory: neither control groups nor systemd-run work"
                    + " here"));
  }

  @Override
  public void close() throws IOException {
    if (limit.isPresent()) {
      limit.get().close();
    }
  }
}
