package dev.graft.server.training;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Keeps all that a run says. */
final class RecordingListener implements TrainingListener {
  TrainingStarted started;
  final List<TrainingProgress> steps = new ArrayList<>();
  final List<LogEntry> log = new ArrayList<>();
  final List<Evaluation> evaluations = new ArrayList<>();
  final Map<Long, byte[]> checkpoints = new LinkedHashMap<>();
  TrainingResult result;

  @Override
  public void started(TrainingStarted event) {
    started = event;
  }

  @Override
  public void stepped(TrainingProgress progress) {
    steps.add(progress);
  }

  @Override
  public void logged(LogEntry entry) {
    log.add(entry);
  }

  @Override
  public void evaluated(Evaluation evaluation) {
    evaluations.add(evaluation);
  }

  @Override
  public void checkpoint(long step, byte[] file) {
    checkpoints.put(step, file);
  }

  @Override
  public void finished(TrainingResult event) {
    result = event;
  }
}
