package dev.graft.cli.bench;

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
import java.util.stream.Stream;

/** The whole benchmark. */
public final class Bench {
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
        Comparison comparison = comparison(part, processes, rounds);
        Results results = measure(comparison.runs());
        results.print(out);
        comparison.print(results, out);
        out.println();
      }
      out.println("of limit: of what the fastest matrix product of this type does on all cores");
      out.println("first s: from the start of the process to the first feature");
      out.println("others: cores that other processes used meanwhile; compare only quiet runs");
    } finally {
      delete(directory);
    }
  }

  private Comparison comparison(BenchPart part, Processes processes, BenchRounds rounds)
      throws IOException {
    return switch (part) {
      case TRAIN ->
          new TrainingComparison(
              processes,
              BenchModel.in(cache.resolve("bench-llama-135m")),
              write(BenchItems.random(items), processes.directory().resolve("items.jsonl")),
              rounds);
      case EXTRACT ->
          new ExtractionComparison(
              processes,
              miniLm,
              write(texts(), processes.directory().resolve("passages.jsonl")),
              rounds);
    };
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

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : (Iterable<Path>) files.sorted(Comparator.reverseOrder())::iterator) {
        Files.delete(file);
      }
    }
  }
}
