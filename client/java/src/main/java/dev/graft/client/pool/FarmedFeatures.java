package dev.graft.client.pool;

import dev.graft.client.ExtractJob;
import dev.graft.client.GraftRpcException;
import dev.graft.client.Items;
import dev.graft.client.TrainJob;
import dev.graft.v1.Content;
import dev.graft.v1.ExtractReady;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.Item;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * A Train job whose items carry their features already.
 *
 * @param job the same job, with features for items and without backbone
 * @param ready what the extraction's spec came to
 * @param summary what it cost
 */
record FarmedFeatures(TrainJob job, ExtractReady ready, ExtractionSummary summary) {
  /**
   * Computes the features of a job's items on all workers. They are in memory then, because
   * training goes over them again when it moves to another worker.
   *
   * @param running gets the extraction, to cancel it
   */
  static FarmedFeatures of(
      WorkerPool pool, TrainJob job, Requirements requirements, Consumer<PooledExtract> running) {
    ExtractSpec spec =
        ExtractSpec.newBuilder()
            .setFeatures(job.spec().getFeatures().toBuilder().clearOutputDtype()) // trains in F32
            .build();
    List<Item> train = Collections.synchronizedList(new ArrayList<>()); // filled by the job
    List<Item> eval = Collections.synchronizedList(new ArrayList<>());
    // Read once: what an iterable gives the second time need not be the same.
    AtomicLong number = new AtomicLong(); // items of both kinds may have the same
    Iterable<Item> contents =
        () ->
            Stream.concat(contents(job.trainItems(), train), contents(job.evalItems(), eval))
                .map(content -> Items.of(number.getAndIncrement(), content))
                .iterator();
    List<Content> features = new ArrayList<>();
    ExtractionSummary.Count count = new ExtractionSummary.Count();
    try (PooledExtract extract =
        pool.extract(ExtractJob.of(spec), contents, ResultOrder.OF_ITEMS, requirements)) {
      running.accept(extract);
      extract.forEachRemaining(
          result -> {
            count.add(result);
            features.add(Content.newBuilder().setFeatures(result.getFeatures()).build());
          });
      Iterator<Content> next = features.iterator();
      List<Item> trainFeatures = train.stream().map(item -> withFeatures(item, next)).toList();
      List<Item> evalFeatures = eval.stream().map(item -> withFeatures(item, next)).toList();
      TrainJob ready =
          new TrainJob(
              job.spec().toBuilder().setFeatures(FeatureSpec.getDefaultInstance()).build(),
              trainFeatures,
              evalFeatures,
              job.initialProjector(),
              job.checkpoint(),
              job.deadline());
      return new FarmedFeatures(ready, extract.ready(), count.summary());
    } catch (IncompleteJobException incomplete) {
      ContentOwners owners = ContentOwners.of(List.copyOf(train), List.copyOf(eval));
      throw incomplete.ofTraining(
          owners.trainItems(incomplete.missingItems()),
          owners.evalItems(incomplete.missingItems()));
    } catch (GraftRpcException failed) {
      throw ContentOwners.of(List.copyOf(train), List.copyOf(eval)).translated(failed);
    }
  }

  /** What is to be computed: each item's content and then its pair's. */
  private static Stream<Content> contents(Iterable<? extends Item> items, List<Item> passed) {
    return StreamSupport.stream(items.spliterator(), false)
        .flatMap(
            item -> {
              passed.add(withoutContents(item));
              return item.hasPair()
                  ? Stream.of(item.getContent(), item.getPair())
                  : Stream.of(item.getContent());
            });
  }

  /** Number and label are kept, and whether there is a pair; contents may be large. */
  private static Item withoutContents(Item item) {
    Item.Builder kept = item.toBuilder().clearContent();
    if (item.hasPair()) {
      kept.setPair(Content.getDefaultInstance());
    }
    return kept.build();
  }

  private static Item withFeatures(Item item, Iterator<Content> features) {
    Item.Builder ready = item.toBuilder().setContent(features.next());
    if (item.hasPair()) {
      ready.setPair(features.next());
    }
    return ready.build();
  }
}
