package dev.graft.server.jobs;

import java.io.IOException;
import java.util.List;

/** The files of a result while they grow. Closing frees what is open, finished or not. */
interface ResultDraft extends AutoCloseable {
  /** Makes a tensor of the result; on any thread. */
  ConvertedTensor convert(PlannedTensor tensor) throws IOException;

  /** Completes the files, once all tensors are converted. */
  void finish(List<ConvertedTensor> converted) throws IOException;

  @Override
  void close() throws IOException;
}
