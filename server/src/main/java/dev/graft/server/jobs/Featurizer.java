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

/** Turns contents into features: on a backbone in use, or by taking them as they are. */
final class Featurizer implements AutoCloseable {
  private final Optional<BackboneStore.Lease> lease;
  private final Optional<FeatureSpec> spec;
  private final Optional<FeatureStream> stream;
  private final FeatureStream.Listener listener;

  /** Size of precomputed features: that of the first one. 0 before. */
  private int featureSize;

  /** Loads the backbone, which may take a while. */
  Featurizer(
      WorkerResources worker,
      FeatureRequest request,
      Lanes.Turns turns,
      FeatureStream.Listener listener) {
    request.check(worker.computeDtypes());
    this.listener = listener;
    this.lease = request.backbone().map(worker.backbones()::acquire);
    try {
      this.spec = info().map(info -> request.resolve(info, worker.defaultComputeDtype()));
      this.stream = backbone().map(loaded -> stream(worker, loaded, turns));
      this.featureSize = info().map(BackboneInfo::hiddenSize).orElse(0);
    } catch (RuntimeException | Error e) { // whatever it is, the backbone is not in use
      lease.ifPresent(BackboneStore.Lease::close);
      throw e;
    }
  }

  private FeatureStream stream(WorkerResources worker, LoadedBackbone loaded, Lanes.Turns turns) {
    return new FeatureStream(
        worker.extraction(), loaded.backbone(), spec.orElseThrow(), turns, listener);
  }

  /** The backbone in use; empty without one. */
  Optional<LoadedBackbone> backbone() {
    return lease.map(BackboneStore.Lease::backbone);
  }

  /** What is known of the backbone; empty without one. */
  Optional<BackboneInfo> info() {
    return backbone().map(loaded -> loaded.backbone().info());
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
   * @param place for errors
   */
  void add(long slot, ItemPlace place, Content content) {
    if (content instanceof Content.Features features) {
      addReady(slot, place, features.values());
    } else if (content instanceof Content.Text text) {
      addTokens(place, "text", tokenize(slot, place, text.text()));
    } else if (content instanceof Content.TokenIds tokens) {
      checkTypes(place, tokens);
      addTokens(place, "token_ids.ids", cut(slot, tokens));
    } else {
      throw new AssertionError("Unknown content " + content);
    }
  }

  private void addReady(long slot, ItemPlace place, float[] values) {
    if (featureSize == 0) {
      featureSize = values.length;
    }
    if (values.length != featureSize) {
      throw place.error(
          "FEATURE_SIZE",
          "features",
          "has a feature of "
              + values.length
              + " values where "
              + featureSize
              + " are expected: those of the backbone, or of the first item");
    }
    listener.onFeatures(List.of(new ItemFeatures(slot, values, 0, 0)));
  }

  private LoadedBackbone require(ItemPlace place) {
    return backbone()
        .orElseThrow(
            () ->
                place.error(
                    "INVALID_ITEM",
                    "",
                    "has no features, and spec.features names no backbone to compute them on"));
  }

  private TokenizedItem tokenize(long slot, ItemPlace place, String text) {
    LoadedBackbone loaded = require(place);
    TokenizedItem item =
        loaded
            .tokenizer()
            .orElseThrow(() -> noTokenizer(loaded, place))
            .tokenize(slot, text, spec.orElseThrow().maxTokens());
    // Some tokenizers number segments although their model has none.
    return loaded.backbone().info().tokenTypes() > 0
        ? item
        : new TokenizedItem(slot, item.ids(), null, item.truncatedTokens());
  }

  /** For one that is there and not understood, what is not understood about it. */
  private static GraftException noTokenizer(LoadedBackbone loaded, ItemPlace place) {
    try {
      loaded.checkpoint().tokenizerText();
    } catch (GraftException e) {
      return e;
    }
    return place.error(
        "NO_TOKENIZER",
        "text",
        "is text, but " + loaded.directory() + " has no tokenizer.json; send token ids instead");
  }

  private void checkTypes(ItemPlace place, Content.TokenIds tokens) {
    BackboneInfo info = require(place).backbone().info();
    if (tokens.typeIds() == null) {
      return;
    }
    if (info.tokenTypes() == 0) {
      throw place.error(
          "TOKEN_OUT_OF_RANGE",
          "token_ids.token_type_ids",
          "has token type ids, but "
              + info.modelType()
              + " backbones have no token types; leave them out");
    }
    checkRange(
        place, "token_ids.token_type_ids", "token type", tokens.typeIds(), info.tokenTypes());
  }

  private TokenizedItem cut(long slot, Content.TokenIds tokens) {
    int length = tokens.ids().length;
    int kept = Math.min(length, spec.orElseThrow().maxTokens());
    return new TokenizedItem(
        slot,
        Arrays.copyOf(tokens.ids(), kept),
        tokens.typeIds() == null ? null : Arrays.copyOf(tokens.typeIds(), kept),
        length - kept);
  }

  private void addTokens(ItemPlace place, String field, TokenizedItem item) {
    FeatureSpec resolved = spec.orElseThrow();
    if (item.ids().length == 0) {
      throw place.error("INVALID_ITEM", field, "has no tokens; an item needs at least one");
    }
    if (item.truncatedTokens() > 0 && resolved.rejectOverlength()) {
      throw place.error(
          "ITEM_TOO_LONG",
          field,
          "has "
              + (item.ids().length + item.truncatedTokens())
              + " tokens where "
              + resolved.maxTokens()
              + " are allowed; shorten it, or let it be cut (overlength TRUNCATE)");
    }
    checkRange(place, field, "token", item.ids(), info().orElseThrow().vocabularySize());
    stream.orElseThrow().add(item);
  }

  private static void checkRange(ItemPlace place, String field, String what, int[] ids, int end) {
    for (int id : ids) {
      if (id < 0 || id >= end) {
        throw place.error(
            "TOKEN_OUT_OF_RANGE",
            field,
            "has %s id %s; this backbone's are from 0 to %d"
                .formatted(what, Integer.toUnsignedString(id), end - 1));
      }
    }
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

  /** Gives the backbone back; nothing may be under way. */
  @Override
  public void close() {
    stream.ifPresent(FeatureStream::close);
    lease.ifPresent(BackboneStore.Lease::close);
  }
}
