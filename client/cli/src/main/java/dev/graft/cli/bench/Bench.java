package dev.graft.cli.bench;

import dev.graft.client.Items;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.v1.Item;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

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
   * Makes one measurement in this process and prints it as JSON: {@code train} or {@code extract}.
   */
  public void measure(String what, Optional<ComputeDtype> dtype) throws IOException {
    boolean train = what.equals("train");
    try (BenchProcess process = new BenchProcess(train ? randomModel() : miniLm, dtype)) {
      if (train) {
        process.train(BenchItems.random(items));
      } else {
        process.extract(texts());
      }
      process.print(out);
    }
  }

  /**
   * Makes all measurements in turns and prints their medians.
   *
   * @param python runs the baselines; without it they are left out
   */
  public void compare(Optional<Path> python, int rounds, Optional<String> only)
      throws IOException, InterruptedException {
    Path directory = Files.createTempDirectory("graft-bench");
    try {
      Map<String, List<String>> commands = new LinkedHashMap<>();
      if (!only.equals(Optional.of("extract"))) {
        randomModel();
        addTraining(commands, directory, python);
      }
      if (!only.equals(Optional.of("train"))) {
        addExtraction(commands, directory, python);
      }
      Map<String, Medians> medians = new LinkedHashMap<>();
      commands.keySet().forEach(name -> medians.put(name, new Medians()));
      for (int round = 0; round < rounds; round++) {
        for (Map.Entry<String, List<String>> command : commands.entrySet()) {
          medians.get(command.getKey()).add(Measurement.of(command.getValue()));
        }
      }
      print(medians);
    } finally {
      try (var files = Files.list(directory)) {
        for (Path file : (Iterable<Path>) files::iterator) {
          Files.delete(file);
        }
      }
      Files.delete(directory);
    }
  }

  private void addTraining(
      Map<String, List<String>> commands, Path directory, Optional<Path> python)
      throws IOException {
    Path file = directory.resolve("items.jsonl");
    BenchItems.write(BenchItems.random(items), file);
    for (String dtype : List.of("fp32", "bf16")) {
      commands.put("train " + dtype + " graft", own("train", dtype));
      if (python.isPresent()) {
        for (String way : List.of("careful", "loop")) {
          commands.put(
              "train " + dtype + " " + way,
              List.of(
                  python.get().toString(),
                  baseline(directory),
                  way,
                  "--model",
                  randomModel().toString(),
                  "--items",
                  file.toString(),
                  "--dtype",
                  dtype));
        }
      }
    }
  }

  private void addExtraction(
      Map<String, List<String>> commands, Path directory, Optional<Path> python)
      throws IOException {
    commands.put("extract fp32 graft", own("extract", "fp32"));
    commands.put("extract auto graft", own("extract", ""));
    if (python.isPresent()) {
      Path file = directory.resolve("passages.jsonl");
      StringBuilder lines = new StringBuilder();
      for (String passage : passages) {
        lines.append(Measurement.JSON.writeValueAsString(Map.of("text", passage))).append('\n');
      }
      Files.writeString(file, lines);
      commands.put(
          "extract fp32 onnxruntime",
          List.of(
              python.get().toString(),
              baseline(directory),
              "onnx",
              "--model",
              miniLm.resolve("model.onnx").toString(),
              "--tokenizer",
              miniLm.resolve("tokenizer.json").toString(),
              "--items",
              file.toString()));
    }
  }

  /** This program again, with the options that {@code bin/graft} gives it. */
  private List<String> own(String what, String dtype) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xmn32m",
                "-Xms64m",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.graft.cli.Main",
                "bench",
                "--measure",
                what,
                "--items",
                "" + items,
                "--passages",
                "" + passages.size()));
    if (!dtype.isEmpty()) {
      command.addAll(List.of("--dtype", dtype));
    }
    return command;
  }

  private static String baseline(Path directory) throws IOException {
    Path script = directory.resolve("baseline.py");
    try (InputStream in = Bench.class.getResourceAsStream("baseline.py")) {
      Files.write(script, in.readAllBytes());
    }
    return script.toString();
  }

  private Path randomModel() throws IOException {
    return BenchModel.in(cache.resolve("bench-llama-135m"));
  }

  private List<Item> texts() {
    List<Item> texts = new ArrayList<>();
    Items.texts(passages).forEach(texts::add);
    return texts;
  }

  private void print(Map<String, Medians> medians) {
    out.printf(
        Locale.ROOT, "%-26s %9s %10s %9s %9s%n", "", "seconds", "tokens/s", "peak MiB", "others");
    medians.forEach(
        (name, median) ->
            out.printf(
                Locale.ROOT,
                "%-26s %9.2f %10.0f %9.0f %9.2f%n",
                name,
                median.of("seconds"),
                median.of("tokens_per_s"),
                median.of("peak_rss_mib"),
                median.of("other_cores")));
    out.println("others: cores that other processes used meanwhile; compare only quiet runs");
    for (String dtype : List.of("fp32", "bf16")) {
      Medians graft = medians.get("train " + dtype + " graft");
      if (graft != null) {
        out.printf(
            Locale.ROOT,
            "train %s: %.2f of the machine's product limit, first feature %.1f s after start, load %.1f s%n",
            dtype,
            graft.of("product_limit_fraction"),
            graft.of("first_feature_s"),
            graft.of("load_s"));
        ratio("train " + dtype, graft, "careful loop", medians.get("train " + dtype + " careful"));
        ratio("train " + dtype, graft, "usual loop", medians.get("train " + dtype + " loop"));
      }
    }
    for (String dtype : List.of("fp32", "auto")) {
      Medians graft = medians.get("extract " + dtype + " graft");
      if (graft != null) {
        ratio(
            "extract " + dtype, graft, "onnxruntime fp32", medians.get("extract fp32 onnxruntime"));
        out.printf(
            Locale.ROOT,
            "extract %s: socket at %.3f of the same work in process%n",
            dtype,
            graft.of("socket_to_in_process"));
      }
    }
  }

  private void ratio(String name, Medians graft, String baselineName, Medians baseline) {
    if (baseline != null) {
      out.printf(
          Locale.ROOT,
          "%s: %.2f times the speed of the %s, %.2f of its peak memory%n",
          name,
          graft.of("tokens_per_s") / baseline.of("tokens_per_s"),
          baselineName,
          graft.of("peak_rss_mib") / baseline.of("peak_rss_mib"));
    }
  }
}
