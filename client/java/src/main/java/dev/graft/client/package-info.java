/**
 * The Java client of Graft: trains small projectors on the frozen backbones of remote workers, and
 * computes features and predictions there.
 *
 * <p>Specifications, items and results are the messages of {@code dev.graft.v1} themselves; this
 * package adds what a stream needs: pacing, batching, files in chunks, typed errors, cancellation.
 *
 * <pre>{@code
 * try (GraftClient client = GraftClient.connect("localhost:8470");
 *     ExtractCall results =
 *         client.extract(ExtractJob.of(spec), Items.texts(List.of("How are you?", "Fine.")))) {
 *   results.forEachRemaining(r -> use(r.getNumber(), Tensors.toFloats(r.getFeatures())));
 * }
 * }</pre>
 *
 * <p>Each call comes in three styles over one core: a blocking iterator that is closed ({@link
 * dev.graft.client.GraftClient#extract extract}, {@link dev.graft.client.GraftClient#train train}),
 * a {@link java.util.concurrent.Flow.Publisher} that honours demand, and a {@link
 * java.util.concurrent.CompletableFuture}. Failures are {@link
 * dev.graft.client.GraftRpcException}s.
 */
package dev.graft.client;
