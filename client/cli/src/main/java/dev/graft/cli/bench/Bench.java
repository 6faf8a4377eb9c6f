package dev.graft.cli.bench;

import dev.graft.cli.output.Directories;
import dev.graft.client.Items;
import dev.graft.v1.Item;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** The whole benchmark. */
public final class Bench {
  /** Passages for the backbone that is larger than memory. */
  private static final int LIMITED_ITEMS = 2000;

  private final Path cache;
  private final Path miniLm;
  private final List<String> passages;
  private final int items;
  private final PrintStream out;

  /**
   * @param cache where the random model is kept
   * @param miniLm directory of MiniLM's ONNX export and tokenizer
   * @param passages texts that MiniLM extracts
   * @param items how many items to train on
   */
  public Bench(Path cache, Path miniLm, List<String> passages, int items, PrintStream out) {
    this.cache = cache;
    this.miniLm = miniLm;
    this.passages = passages.stream().sorted(Comparator.comparingInt(String::length)).toList();
    this.items = items;
    this.out = out;
  }

  /**
   * Makes all measurements of some parts in turns and prints their medians.
   *
   * @param python runs the baselines; without it they are left out
   */
  public void compare(Set<BenchPart> parts, Optional<Path> python, BenchRounds rounds)
      throws IOException, InterruptedException {
    Path directory = Files.createTempDirectory("graft-bench");
    try {
      Processes processes = new Processes(directory, python);
      for (BenchPart part : parts) {
        try (Comparison comparison = comparison(part, processes, rounds)) {
          Results results = measure(comparison.runs());
          results.print(out);
          comparison.print(results, out);
        }
        out.println();
      }
      out.println("of limit: of what the fastest matrix product of this type does on all cores");
      out.println("first s: from the start of the process to the first feature");
      out.println("others: cores that other processes used meanwhile; compare only quiet runs");
    } finally {
      Directories.delete(directory);
    }
  }

  private Comparison comparison(BenchPart part, Processes processes, BenchRounds rounds)
      throws IOException, InterruptedException {
    return switch (part) {
      case TRAIN ->
          new TrainingComparison(processes, BenchModel.SMALL.in(cache), items(processes), rounds);
      case EXTRACT ->
          new ExtractionComparison(
              processes,
              miniLm,
              write(texts(), processes.directory().resolve("passages.jsonl")),
              rounds);
      case QUANTIZED ->
          new QuantizedComparison(processes, BenchModel.SMALL.in(cache), items(processes), rounds);
      case LIMITED ->
          new LimitedComparison(
              processes,
              BenchModel.LARGE.in(cache),
              write(
                  BenchItems.random(LIMITED_ITEMS), processes.directory().resolve("limited.jsonl")),
              rounds);
    };
  }

  private Path items(Processes processes) throws IOException {
    return write(BenchItems.random(items), processes.directory().resolve("items.jsonl"));
  }

  private static Path write(List<Item> items, Path file) throws IOException {
    BenchItems.write(items, file);
    return file;
  }

  private Results measure(List<Run> runs) throws IOException, InterruptedException {
    Results results = new Results();
    int rounds = runs.stream().mapToInt(Run::rounds).max().orElse(0);
    for (int round = 0; round < rounds; round++) {
      for (Run run : runs) {
        if (round < run.rounds()) {
          Measurement measurement = Measurement.of(run.command());
          results.add(run.name(), measurement);
          out.printf(
              Locale.ROOT, "round %d, %s: %s%n", round + 1, run.name(), measurement.values());
        }
      }
    }
    return results;
  }

  private List<Item> texts() {
    List<Item> texts = new ArrayList<>();
    Items.texts(passages).forEach(texts::add);
    return texts;
  }
}
