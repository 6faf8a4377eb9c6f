package dev.graft.cli.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** MiniLM over a socket, against onnxruntime at its best batch size. */
final class ExtractionComparison implements Comparison {
  private static final String BASELINE = "onnxruntime fp32";

  private final Processes processes;
  private final Path miniLm;
  private final Path passages;
  private final BenchRounds rounds;

  ExtractionComparison(Processes processes, Path miniLm, Path passages, BenchRounds rounds) {
    this.processes = processes;
    this.miniLm = miniLm;
    this.passages = passages;
    this.rounds = rounds;
  }

  @Override
  public List<Run> runs() throws IOException, InterruptedException {
    List<Run> runs = new ArrayList<>();
    for (String dtype : List.of("fp32", "auto")) {
      runs.add(
          new Run(
              "MiniLM extract " + dtype,
              processes.own(
                  "extract-texts",
                  "--model",
                  miniLm.toString(),
                  "--items",
                  passages.toString(),
                  "--dtype",
                  dtype),
              rounds.most()));
    }
    if (processes.hasPython()) {
      runs.add(
          new Run(
              BASELINE,
              processes.baseline(
                  "onnx",
                  "--model",
                  miniLm.resolve("model.onnx").toString(),
                  "--tokenizer",
                  miniLm.resolve("tokenizer.json").toString(),
                  "--items",
                  passages.toString()),
              rounds.most()));
    }
    return runs;
  }

  @Override
  public void print(Results results, PrintStream out) {
    for (String dtype : List.of("fp32", "auto")) {
      String name = "MiniLM extract " + dtype;
      results.printSpeed(out, name + " / " + BASELINE, name, BASELINE);
      results.printMemory(out, name + " / " + BASELINE, name, BASELINE);
      results
          .of(name, "socket_to_in_process")
          .ifPresent(share -> Results.print(out, name + ", socket / in process", share));
    }
  }
}
