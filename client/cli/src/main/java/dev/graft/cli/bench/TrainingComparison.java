package dev.graft.cli.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Training a projector for three epochs, against loops of one's own in the same type. */
final class TrainingComparison implements Comparison {
  private final Processes processes;
  private final Path model;
  private final Path items;
  private final List<String> dtypes;
  private final BenchRounds rounds;

  TrainingComparison(Processes processes, Path model, Path items, BenchRounds rounds)
      throws IOException, InterruptedException {
    this.processes = processes;
    this.model = model;
    this.items = items;
    this.rounds = rounds;
    this.dtypes = processes.dtypes();
  }

  @Override
  public List<Run> runs() throws IOException, InterruptedException {
    List<Run> runs = new ArrayList<>();
    for (String dtype : dtypes) {
      String[] options = {
        "--model", model.toString(), "--items", items.toString(), "--dtype", dtype
      };
      List<String> own = new ArrayList<>(processes.own("train", options));
      own.addAll(List.of("--token-flops", "" + BenchModel.SMALL.tokenFlops()));
      runs.add(new Run("train " + dtype, own, rounds.most()));
      if (processes.hasPython()) {
        runs.add(
            new Run(
                "careful loop " + dtype, processes.baseline("careful", options), rounds.most()));
        runs.add(
            new Run("naive loop " + dtype, processes.baseline("naive", options), rounds.naive()));
      }
    }
    return runs;
  }

  @Override
  public void print(Results results, PrintStream out) {
    for (String dtype : dtypes) {
      for (String loop : List.of("naive", "careful")) {
        String label = "train / " + loop + " loop, " + dtype;
        results.printSpeed(out, label, "train " + dtype, loop + " loop " + dtype);
        results.printMemory(out, label, "train " + dtype, loop + " loop " + dtype);
      }
    }
    if (dtypes.size() == 1) {
      out.println("bf16 left out: fp32 is what auto chooses on this machine");
    }
    if (processes.hasPython()) {
      out.println("naive loop: measured for one epoch, " + rounds.naive() + " times; reported x 3");
    }
  }
}
