package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.graft.client.GraftClient;
import dev.graft.client.GraftRpcException;
import dev.graft.client.Items;
import dev.graft.client.TrainEvent;
import dev.graft.client.TrainJob;
import dev.graft.server.rpc.WorkerOptions;
import dev.graft.v1.Backbone;
import dev.graft.v1.ComputeDtype;
import dev.graft.v1.Content;
import dev.graft.v1.CrossEntropy;
import dev.graft.v1.Item;
import dev.graft.v1.ParameterAudit;
import dev.graft.v1.Projector;
import dev.graft.v1.ProjectorKind;
import dev.graft.v1.TokenIds;
import dev.graft.v1.TrainSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

/** What the usual Trainer refuses: a projector beside a frozen quantized backbone. */
class QuantizedBackboneTest {
  private static final Path ROOT =
      Path.of("..", "server/src/test/resources/dev/graft/server/quantizing")
          .toAbsolutePath()
          .normalize();

  private final List<Item> items = items();

  @Test
  void anyProjectorTrainsAndTheBackboneStaysAsItIs() {
    try (WorkerUnderTest worker =
            WorkerUnderTest.overSockets(new WorkerOptions().modelRoots(List.of(ROOT)));
        GraftClient client = worker.client()) {
      for (String backbone :
          List.of(
              "bnb/llama_h72_nf4_dq", "bnb/bert_int8", "gptq/4bit-g32-sym", "awq/gemm-4bit-g32")) {
        for (ProjectorKind kind :
            List.of(ProjectorKind.PROJECTOR_KIND_LINEAR, ProjectorKind.PROJECTOR_KIND_MLP)) {
          TrainEvent.Completed completed =
              client.trainAsync(TrainJob.of(spec(backbone, kind), items)).join();
          ParameterAudit audit = completed.result().getAudit();
          assertThat(audit.getTrainableList()).isNotEmpty();
          assertThat(audit.getFrozenDigest()).as(backbone).hasSize(64);
          assertThat(completed.result().getTrainLoss()).isBetween(0.0, 10.0);
        }
      }
    }
  }

  @Test
  void quantizedWeightsAskedToTrainAreNamed() {
    try (WorkerUnderTest worker =
            WorkerUnderTest.overSockets(new WorkerOptions().modelRoots(List.of(ROOT)));
        GraftClient client = worker.client()) {
      TrainSpec spec =
          spec("bnb/llama_h72_nf4_dq", ProjectorKind.PROJECTOR_KIND_LINEAR).toBuilder()
              .addBackboneModules("model.layers.0.mlp")
              .build();
      CompletionException error =
          catchThrowableOfType(
              CompletionException.class, () -> client.trainAsync(TrainJob.of(spec, items)).join());
      assertThat(error.getCause())
          .isInstanceOfSatisfying(
              GraftRpcException.class,
              refused -> {
                assertThat(refused.reason()).isEqualTo("QUANTIZED_WEIGHTS");
                assertThat(refused)
                    .hasMessageContaining("model.layers.0.mlp.up_proj.weight")
                    .hasMessageContaining("projector")
                    .hasMessageContaining("LoRA")
                    .hasMessageContaining("dequantize");
              });
    }
  }

  private static TrainSpec spec(String backbone, ProjectorKind kind) {
    TrainSpec.Builder spec = TrainSpec.newBuilder();
    spec.getFeaturesBuilder()
        .setBackbone(Backbone.newBuilder().setPath(backbone))
        .setComputeDtype(ComputeDtype.COMPUTE_DTYPE_FP32);
    spec.setProjector(Projector.newBuilder().setKind(kind));
    spec.getObjectiveBuilder().setCrossEntropy(CrossEntropy.newBuilder().setNumClasses(2));
    return spec.build();
  }

  private static List<Item> items() {
    List<Item> items = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      TokenIds ids = TokenIds.newBuilder().addIds(1 + i).addIds(2 + 3 * i).build();
      items.add(Items.withClass(Items.of(i, Content.newBuilder().setTokenIds(ids).build()), i % 2));
    }
    return items;
  }
}
