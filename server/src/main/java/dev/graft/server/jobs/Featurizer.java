package dev.graft.server.jobs;

import dev.graft.server.GraftException;
import dev.graft.server.backbones.BackboneInfo;
import dev.graft.server.extraction.FeatureSpec;
import dev.graft.server.extraction.FeatureStream;
import dev.graft.server.extraction.ItemFeatures;
import dev.graft.server.extraction.TokenizedItem;
import dev.graft.server.torch.Lanes;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Turns contents into features: on a backbone, or by taking them as they are. */
final class Featurizer {
  private final Optional<LoadedBackbone> backbone;
  private final Optional<FeatureSpec> spec;
  private final Optional<FeatureStream> stream;
  private final FeatureStream.Listener listener;

  /** Size of precomputed features: that of the first one. 0 before. */
  private int featureSize;

  Featurizer(
      WorkerResources worker,
      FeatureRequest request,
      Optional<LoadedBackbone> backbone,
      Lanes.Turns turns,
      FeatureStream.Listener listener) {
    this.backbone = backbone;
    this.listener = listener;
    this.spec =
        backbone.map(
            loaded -> request.resolve(loaded.backbone().info(), worker.defaultComputeDtype()));
    this.stream =
        backbone.map(
            loaded ->
                new FeatureStream(
                    worker.extraction(), loaded.backbone(), spec.orElseThrow(), turns, listener));
    this.featureSize = backbone.map(loaded -> loaded.backbone().info().hiddenSize()).orElse(0);
  }

  /** The specification with every default filled in; empty without backbone. */
  Optional<FeatureSpec> spec() {
    return spec;
  }

  /** Values of a feature; 0 while that is not known. */
  int featureSize() {
    return featureSize;
  }

  /**
   * Adds a content.
   *
   * @param slot the caller's number of it, which its features carry
   * @param number the item's number, for errors
   */
  void add(long slot, long number, Content content) {
    if (content instanceof Content.Features features) {
      if (featureSize == 0) {
        featureSize = features.values().length;
      }
      if (features.values().length != featureSize) {
        throw itemError(
            "FEATURE_SIZE",
            number,
            "has a feature of "
                + features.values().length
                + " values where "
                + featureSize
                + " are expected");
      }
      listener.onFeatures(List.of(new ItemFeatures(slot, features.values(), 0, 0)));
    } else {
      LoadedBackbone loaded =
          backbone.orElseThrow(
              () ->
                  itemError(
                      "INVALID_ITEM",
                      number,
                      "has no features, and spec.features names no backbone to compute them on"));
      stream.orElseThrow().add(checked(number, tokenize(loaded, slot, number, content)));
    }
  }

  private TokenizedItem tokenize(LoadedBackbone loaded, long slot, long number, Content content) {
    int maxTokens = spec.orElseThrow().maxTokens();
    if (content instanceof Content.Text text) {
      return loaded
          .tokenizer()
          .orElseThrow(
              () ->
                  itemError(
                      "NO_TOKENIZER",
                      number,
                      "is text, but "
                          + loaded.directory()
                          + " has no tokenizer.json; send token ids instead"))
          .tokenize(slot, text.text(), maxTokens);
    }
    Content.TokenIds tokens = (Content.TokenIds) content;
    int length = tokens.ids().length;
    if (length <= maxTokens) {
      return new TokenizedItem(slot, tokens.ids(), tokens.typeIds(), 0);
    }
    return new TokenizedItem(
        slot,
        Arrays.copyOf(tokens.ids(), maxTokens),
        tokens.typeIds() == null ? null : Arrays.copyOf(tokens.typeIds(), maxTokens),
        length - maxTokens);
  }

  private TokenizedItem checked(long number, TokenizedItem item) {
    BackboneInfo info = backbone.orElseThrow().backbone().info();
    FeatureSpec resolved = spec.orElseThrow();
    if (item.ids().length == 0) {
      throw itemError("INVALID_ITEM", number, "has no tokens; an item needs at least one");
    }
    if (item.truncatedTokens() > 0 && resolved.rejectOverlength()) {
      throw itemError(
          "ITEM_TOO_LONG",
          number,
          "has "
              + (item.ids().length + item.truncatedTokens())
              + " tokens where "
              + resolved.maxTokens()
              + " are allowed; shorten it, or let it be cut (overlength TRUNCATE)");
    }
    for (int id : item.ids()) {
      if (id < 0 || id >= info.vocabularySize()) {
        throw itemError(
            "TOKEN_OUT_OF_RANGE",
            number,
            "has token id "
                + Integer.toUnsignedString(id)
                + ", but the vocabulary has "
                + info.vocabularySize()
                + " ids");
      }
    }
    return item;
  }

  private static GraftException itemError(String reason, long number, String problem) {
    return GraftException.invalidArgument(reason, "Item " + number + " " + problem + ".")
        .with("item", number);
  }

  void flush() {
    stream.ifPresent(FeatureStream::flush);
  }

  void end() {
    if (stream.isPresent()) {
      stream.get().end();
    } else {
      listener.onEnd();
    }
  }

  /** Runs {@code action} when more contents should be added. */
  void whenReady(Runnable action) {
    if (stream.isPresent()) {
      stream.get().whenReady(action);
    } else {
      action.run();
    }
  }
}
