package dev.graft.client.pool;

import dev.graft.v1.ComputeDtype;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.MeasuredKernel;
import java.util.List;

/**
 * What the last bits of a worker's features depend on, beside the input. Results of workers of one
 * kind have the same bytes.
 *
 * @param version Graft's version
 * @param device "cpu" or "cuda", without number
 * @param computeDtype the compute type that stands for none
 * @param kernels the kernel for each type, as "type kernel"
 * @param tokensPerBatch most tokens of a batch
 */
public record WorkerKind(
    String version,
    String device,
    ComputeDtype computeDtype,
    List<String> kernels,
    int tokensPerBatch) {

  static WorkerKind of(DescribeWorkerResponse worker) {
    return new WorkerKind(
        worker.getVersion(),
        worker.getDevice().getName().replaceFirst(":.*", ""),
        worker.getComputeDtypesList().stream()
            .findFirst()
            .orElse(ComputeDtype.COMPUTE_DTYPE_UNSPECIFIED),
        worker.getMeasuredKernelsList().stream()
            .filter(MeasuredKernel::getChosen)
            .map(measured -> measured.getComputeDtype() + " " + measured.getKernel())
            .sorted()
            .toList(),
        worker.getLimits().getTokensPerBatch());
  }
}
