package dev.graft.server.rpc;

import dev.graft.server.GraftException;
import dev.graft.server.extraction.Pooling;
import dev.graft.server.jobs.Content;
import dev.graft.server.jobs.FeatureRequest;
import dev.graft.server.jobs.ItemPlace;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.v1.Backbone;
import dev.graft.v1.DataType;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.Overlength;
import dev.graft.v1.Tensor;
import dev.graft.v1.TokenIds;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Translates {@code features.proto}. */
final class FeatureMessages {
  private FeatureMessages() {}

  /** What the caller asked for; INVALID_ARGUMENT names the field. */
  static FeatureRequest request(FeatureSpec spec) {
    if (spec.hasBackbone() && spec.getBackbone().getPath().isEmpty()) {
      throw invalid(
          "features.backbone.path",
          "is empty; name a directory under one of the worker's model roots");
    }
    return new FeatureRequest(
        spec.hasBackbone() ? Optional.of(spec.getBackbone().getPath()) : Optional.empty(),
        pooling(spec.getPooling()),
        spec.hasLayer() ? OptionalInt.of(spec.getLayer()) : OptionalInt.empty(),
        spec.getNormalize(),
        computeDtype(spec.getComputeDtype()),
        spec.getMaxTokens(),
        reject(spec.getOverlength()));
  }

  /** The type that features are sent in. */
  static DataType outputType(FeatureSpec spec) {
    return switch (spec.getOutputDtype()) {
      case DATA_TYPE_UNSPECIFIED, DATA_TYPE_F32 -> DataType.DATA_TYPE_F32;
      case DATA_TYPE_F16 -> DataType.DATA_TYPE_F16;
      case DATA_TYPE_BF16 -> DataType.DATA_TYPE_BF16;
      case UNRECOGNIZED ->
          throw invalid("features.output_dtype", "is no type that this worker knows");
    };
  }

  /** The spec with every default filled in. */
  static FeatureSpec resolved(
      FeatureSpec asked, Optional<dev.graft.server.extraction.FeatureSpec> resolved) {
    FeatureSpec.Builder spec = FeatureSpec.newBuilder().setOutputDtype(outputType(asked));
    resolved.ifPresent(
        known ->
            spec.setBackbone(Backbone.newBuilder().setPath(asked.getBackbone().getPath()))
                .setPooling(pooling(known.pooling()))
                .setLayer(known.layer())
                .setNormalize(known.normalize())
                .setComputeDtype(computeDtype(known.computeDtype()))
                .setMaxTokens(known.maxTokens())
                .setOverlength(
                    known.rejectOverlength()
                        ? Overlength.OVERLENGTH_REJECT
                        : Overlength.OVERLENGTH_TRUNCATE));
    return spec.build();
  }

  /**
   * What an item is made of.
   *
   * @param place for errors
   */
  static Content content(dev.graft.v1.Content content, ItemPlace place) {
    return switch (content.getKindCase()) {
      case TEXT -> new Content.Text(content.getText());
      case TOKEN_IDS -> tokenIds(content.getTokenIds(), place);
      case FEATURES -> features(content.getFeatures(), place);
      case KIND_NOT_SET -> throw place.invalid("", "is empty: give text, token_ids or features");
    };
  }

  private static Content tokenIds(TokenIds tokens, ItemPlace place) {
    return Content.tokenIds(
        place,
        ints(tokens.getIdsList()),
        ints(tokens.getAttentionMaskList()),
        ints(tokens.getTokenTypeIdsList()));
  }

  private static Content features(Tensor tensor, ItemPlace place) {
    try {
      return new Content.Features(TensorCodec.decodeVector(tensor, place.path() + ".features"));
    } catch (GraftException e) {
      throw e.with("item", Long.toUnsignedString(place.number()));
    }
  }

  private static int[] ints(List<Integer> values) {
    return values.stream().mapToInt(Integer::intValue).toArray();
  }

  private static Optional<Pooling> pooling(dev.graft.v1.Pooling pooling) {
    return switch (pooling) {
      case POOLING_UNSPECIFIED -> Optional.empty();
      case POOLING_LAST -> Optional.of(Pooling.LAST);
      case POOLING_MEAN -> Optional.of(Pooling.MEAN);
      case POOLING_CLS -> Optional.of(Pooling.CLS);
      case POOLING_MAX -> Optional.of(Pooling.MAX);
      case POOLING_NONE -> Optional.of(Pooling.NONE);
      case UNRECOGNIZED ->
          throw invalid("features.pooling", "is no pooling that this worker knows");
    };
  }

  private static dev.graft.v1.Pooling pooling(Pooling pooling) {
    return switch (pooling) {
      case LAST -> dev.graft.v1.Pooling.POOLING_LAST;
      case MEAN -> dev.graft.v1.Pooling.POOLING_MEAN;
      case CLS -> dev.graft.v1.Pooling.POOLING_CLS;
      case MAX -> dev.graft.v1.Pooling.POOLING_MAX;
      case NONE -> dev.graft.v1.Pooling.POOLING_NONE;
    };
  }

  private static Optional<ComputeDtype> computeDtype(dev.graft.v1.ComputeDtype dtype) {
    return switch (dtype) {
      case COMPUTE_DTYPE_UNSPECIFIED -> Optional.empty();
      case COMPUTE_DTYPE_FP32 -> Optional.of(ComputeDtype.FP32);
      case COMPUTE_DTYPE_BF16 -> Optional.of(ComputeDtype.BF16);
      case COMPUTE_DTYPE_FP16 -> Optional.of(ComputeDtype.FP16);
      case COMPUTE_DTYPE_INT8_DYNAMIC -> Optional.of(ComputeDtype.INT8_DYNAMIC);
      case UNRECOGNIZED ->
          throw invalid("features.compute_dtype", "is no type that this worker knows");
    };
  }

  static dev.graft.v1.ComputeDtype computeDtype(ComputeDtype dtype) {
    return switch (dtype) {
      case FP32 -> dev.graft.v1.ComputeDtype.COMPUTE_DTYPE_FP32;
      case BF16 -> dev.graft.v1.ComputeDtype.COMPUTE_DTYPE_BF16;
      case FP16 -> dev.graft.v1.ComputeDtype.COMPUTE_DTYPE_FP16;
      case INT8_DYNAMIC -> dev.graft.v1.ComputeDtype.COMPUTE_DTYPE_INT8_DYNAMIC;
    };
  }

  private static boolean reject(Overlength overlength) {
    return switch (overlength) {
      case OVERLENGTH_UNSPECIFIED, OVERLENGTH_TRUNCATE -> false;
      case OVERLENGTH_REJECT -> true;
      case UNRECOGNIZED ->
          throw invalid("features.overlength", "is no choice that this worker knows");
    };
  }

  static GraftException invalid(String field, String problem) {
    return GraftException.invalidArgument("INVALID_SPEC", field + " " + problem + ".")
        .with("field", "spec." + field);
  }
}
