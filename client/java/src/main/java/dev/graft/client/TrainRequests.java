package dev.graft.client;

import dev.graft.v1.EndOfData;
import dev.graft.v1.Item;
import dev.graft.v1.ItemBatch;
import dev.graft.v1.TrainRequest;
import java.util.Iterator;
import java.util.stream.Stream;

/** What the client sends in a Train call. */
final class TrainRequests {
  private TrainRequests() {}

  static TrainRequest spec(TrainJob job) {
    return TrainRequest.newBuilder().setSpec(job.spec()).build();
  }

  /**
   * The requests after the spec, made one by one as they are asked for. The stream is not
   * half-closed behind them: checkpoints may still be asked for.
   */
  static Iterator<TrainRequest> afterSpec(TrainJob job, MessageSizes sizes) {
    return Stream.of(
            FileChunks.cut(job.initialProjector(), sizes.goodBytes())
                .map(chunk -> TrainRequest.newBuilder().setInitialProjectorFile(chunk)),
            FileChunks.cut(job.checkpoint(), sizes.goodBytes())
                .map(chunk -> TrainRequest.newBuilder().setCheckpointFile(chunk)),
            batches(job.trainItems(), sizes)
                .map(batch -> TrainRequest.newBuilder().setTrainItems(batch)),
            batches(job.evalItems(), sizes)
                .map(batch -> TrainRequest.newBuilder().setEvalItems(batch)),
            Stream.of(TrainRequest.newBuilder().setEndOfData(EndOfData.getDefaultInstance())))
        .reduce(Stream.empty(), Stream::concat)
        .map(TrainRequest.Builder::build)
        .iterator();
  }

  private static Stream<ItemBatch> batches(Iterable<? extends Item> items, MessageSizes sizes) {
    return ItemBatches.stream(items, sizes).filter(batch -> batch.getItemsCount() > 0);
  }
}
