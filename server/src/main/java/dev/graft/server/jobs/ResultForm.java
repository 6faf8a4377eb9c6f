package dev.graft.server.jobs;

import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.FileOpener;
import dev.graft.server.checkpoints.ModelRoots;
import dev.graft.server.quantizing.BitsAndBytesScheme;
import dev.graft.server.quantizing.FourBitType;
import dev.graft.server.quantizing.GgmlEncoding;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** How a model is laid out in files. */
interface ResultForm {
  /** What is to become of each tensor, in the order of the work. */
  List<PlannedTensor> plan();

  /**
   * Begins to write.
   *
   * @param directory where the files grow
   */
  ResultDraft begin(Path directory, FileOpener files, SourceReader reader) throws IOException;

  /**
   * The form of a request's scheme.
   *
   * @param roots where the source's links may lead
   * @throws dev.graft.server.GraftException where the source has something that cannot be written
   */
  static ResultForm of(Checkpoint source, ModelRoots roots, QuantizeRequest request) {
    return switch (request.scheme()) {
      case NONE -> new TransformersForm(source, roots, request, Optional.empty());
      case NF4 -> fourBit(source, roots, request, FourBitType.NF4);
      case FP4 -> fourBit(source, roots, request, FourBitType.FP4);
      case INT8 ->
          new TransformersForm(
              source,
              roots,
              request,
              Optional.of(new BitsAndBytesFormat(request, new BitsAndBytesScheme.Int8())));
      case Q8_0 -> GgufForm.of(source, request, GgmlEncoding.Q8_0);
      case Q4_0 -> GgufForm.of(source, request, GgmlEncoding.Q4_0);
    };
  }

  private static ResultForm fourBit(
      Checkpoint source, ModelRoots roots, QuantizeRequest request, FourBitType type) {
    BitsAndBytesScheme scheme =
        new BitsAndBytesScheme.FourBit(type, request.blockSize(), request.doubleQuantization());
    return new TransformersForm(
        source, roots, request, Optional.of(new BitsAndBytesFormat(request, scheme)));
  }
}
