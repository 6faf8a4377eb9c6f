package dev.graft.cli;

import dev.graft.cli.items.InputItem;
import dev.graft.cli.items.ItemFile;
import dev.graft.cli.output.ItemNames;
import dev.graft.cli.output.ResultWriter;
import dev.graft.cli.progress.FarmView;
import dev.graft.cli.progress.Progress;
import dev.graft.cli.progress.WorkersView;
import dev.graft.client.ExtractJob;
import dev.graft.client.GraftRpcException;
import dev.graft.client.pool.IncompleteJobException;
import dev.graft.v1.ExtractReady;
import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** One Extract job from a file of items to a file of results. */
final class ExtractionRun {
  /**
   * What came out.
   *
   * @param truncatedItems items of which tokens were cut off
   */
  record Summary(ExtractReady ready, long items, long tokens, long truncatedItems) {}

  private final Surroundings surroundings;
  private final Workers workers;
  private final ItemFile input;
  private final ItemNames names;

  ExtractionRun(Surroundings surroundings, Workers workers, ItemFile input, ItemNames names) {
    this.surroundings = surroundings;
    this.workers = workers;
    this.input = input;
    this.names = names;
  }

  /**
   * Runs the job.
   *
   * @param check looks at what the worker made of the spec, and throws to refuse it
   * @param total number of items, for progress
   */
  Summary run(ExtractJob job, long total, Consumer<ExtractReady> check, ResultWriter writer)
      throws IOException {
    try {
      return call(job, total, check, writer);
    } catch (GraftRpcException e) {
      throw WorkerComplaint.located(e, input, 0, total);
    } catch (IncompleteJobException e) {
      throw WorkerComplaint.incomplete(e, List.of(input));
    }
  }

  @SuppressWarnings("try") // the registration is held open, not used
  private Summary call(
      ExtractJob job, long total, Consumer<ExtractReady> check, ResultWriter writer)
      throws IOException {
    AtomicLong sent = new AtomicLong();
    try (ItemFile.Items items = input.open();
        Progress progress = surroundings.progress();
        WorkersView view = workers.show(progress, FarmView.Job.extraction(total));
        Workers.Extraction extraction = workers.extract(job, () -> new Sent(items, sent));
        Interruption.Registration cancel =
            surroundings.interruption().onInterrupt(extraction::close)) {
      progress.status("loading " + job.spec().getFeatures().getBackbone().getPath());
      ExtractReady ready = extraction.ready().get();
      Iterator<ItemResult> results = extraction.results();
      check.accept(ready);
      writer.begin(ready);
      progress.update("extracting", "items", 0, total, "");
      Tally tally = new Tally();
      long start = surroundings.clock().millis();
      while (results.hasNext()) {
        ItemResult result = results.next();
        writer.write(result);
        tally.add(result);
        double seconds = (surroundings.clock().millis() - start) / 1e3;
        progress.update(
            "extracting", "items", tally.items, total, seconds > 0 ? tally.tokenRate(seconds) : "");
      }
      writer.finish(sent.get());
      view.awaitEndOfJob();
      return new Summary(ready, tally.items, tally.tokens, tally.truncated);
    }
  }

  private static final class Tally {
    private long items;
    private long tokens;
    private long truncated;

    void add(ItemResult result) {
      if (result.getFirstRow() > 0) {
        return; // a further part of an item that was counted
      }
      items++;
      tokens += result.getTokens();
      truncated += result.getTruncatedTokens() > 0 ? 1 : 0;
    }

    String tokenRate(double seconds) {
      return String.format(Locale.ROOT, "%,.0f tokens/s", tokens / seconds);
    }
  }

  /**
   * The file's items as they are sent; read by the client's thread, no faster than the worker takes
   * them.
   */
  private final class Sent implements Iterator<Item> {
    private final ItemFile.Items items;
    private final AtomicLong count;

    Sent(ItemFile.Items items, AtomicLong count) {
      this.items = items;
      this.count = count;
    }

    @Override
    public boolean hasNext() {
      return items.hasNext();
    }

    @Override
    public Item next() {
      InputItem item = items.next();
      item.id().ifPresent(id -> names.put(item.number(), id));
      count.incrementAndGet();
      return item.toProto();
    }
  }
}
