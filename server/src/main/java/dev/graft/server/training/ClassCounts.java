package dev.graft.server.training;

/** For each class, how often it was predicted rightly, predicted wrongly, and missed. */
final class ClassCounts {
  private final long[] hits;
  private final long[] falseAlarms;
  private final long[] misses;

  ClassCounts(int classes) {
    hits = new long[classes];
    falseAlarms = new long[classes];
    misses = new long[classes];
  }

  void addHits(int label, long count) {
    hits[label] += count;
  }

  void addFalseAlarms(int label, long count) {
    falseAlarms[label] += count;
  }

  void addMisses(int label, long count) {
    misses[label] += count;
  }

  /**
   * Macro F1, as sklearn.metrics.f1_score averages it.
   *
   * @param absentToo whether classes that were neither there nor predicted count, with 0: so it is
   *     for sets of classes, and not for one class of several
   */
  double macroF1(boolean absentToo) {
    double sum = 0;
    int classes = 0;
    for (int i = 0; i < hits.length; i++) {
      long weight = 2 * hits[i] + falseAlarms[i] + misses[i];
      if (weight > 0) {
        sum += 2.0 * hits[i] / weight;
      }
      if (weight > 0 || absentToo) {
        classes++;
      }
    }
    return classes == 0 ? 0 : sum / classes;
  }
}
