package dev.graft.server.jobs;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.FileOpener;
import dev.graft.server.checkpoints.ModelRoots;
import dev.graft.server.checkpoints.SideFiles;
import dev.graft.server.checkpoints.TensorSpool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A directory as transformers saves it: weights in safetensors, {@code config.json}, texts. */
final class TransformersForm implements ResultForm {
  private static final String SPOOL = "tensors.spool";

  private final Checkpoint source;
  private final ModelRoots roots;
  private final QuantizeRequest request;
  private final Optional<QuantizedFormat> format;
  private final List<PlannedTensor> plan;

  /**
   * @param format empty where nothing is quantized
   */
  TransformersForm(
      Checkpoint source,
      ModelRoots roots,
      QuantizeRequest request,
      Optional<QuantizedFormat> format) {
    this.source = source;
    this.roots = roots;
    this.request = request;
    this.format = format;
    this.plan = QuantizePlan.of(source, request);
  }

  @Override
  public List<PlannedTensor> plan() {
    return plan;
  }

  @Override
  public ResultDraft begin(Path directory, FileOpener files, SourceReader reader)
      throws IOException {
    Optional<String> tokenizer = source.tokenizerText();
    ObjectNode configuration =
        ResultConfiguration.of(
            source, request.dataType(), format.map(QuantizedFormat::configuration));
    Path spoolFile = directory.resolve(SPOOL);
    TensorSpool spool = TensorSpool.create(spoolFile, files);
    TensorConversion conversion = new TensorConversion(reader, spool, format, configuration);
    return new ResultDraft() {
      @Override
      public ConvertedTensor convert(PlannedTensor tensor) throws IOException {
        return conversion.convert(tensor);
      }

      @Override
      public void finish(List<ConvertedTensor> converted) throws IOException {
        spool.close();
        new ResultFiles(directory, files)
            .write(
                converted.stream().flatMap(each -> each.entries().stream()).toList(),
                plan.stream().mapToLong(PlannedTensor::values).sum(),
                request.maxShardBytes(),
                configuration,
                SideFiles.of(source, roots),
                tokenizer);
        Files.delete(spoolFile);
      }

      @Override
      public void close() throws IOException {
        spool.close();
      }
    };
  }
}
