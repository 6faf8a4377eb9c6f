package dev.graft.cli.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.graft.v1.CrossEntropy;
import dev.graft.v1.LrSchedulerType;
import dev.graft.v1.Objective;
import dev.graft.v1.Projector;
import dev.graft.v1.TrainingArguments;
import org.junit.jupiter.api.Test;

class ProtoJsonTest {
  @Test
  void messagesComeBackAsTheyWent() {
    TrainingArguments arguments =
        TrainingArguments.newBuilder()
            .setLearningRate(1e-3)
            .setMaxSteps(-1)
            .setSeed(1L << 40)
            .setLrSchedulerType(LrSchedulerType.LR_SCHEDULER_TYPE_COSINE)
            .setGreaterIsBetter(true)
            .setMetricForBestModel("accuracy")
            .build();
    Projector projector =
        Projector.newBuilder().addHiddenSizes(4).addHiddenSizes(5).setDropout(0.1f).build();

    assertThat(
            ProtoJson.fromJson(ProtoJson.toJson(arguments), TrainingArguments.newBuilder()).build())
        .isEqualTo(arguments);
    assertThat(ProtoJson.fromJson(ProtoJson.toJson(projector), Projector.newBuilder()).build())
        .isEqualTo(projector);
  }

  @Test
  void fieldsKeepTheContractsNames() {
    Objective objective =
        Objective.newBuilder()
            .setCrossEntropy(CrossEntropy.newBuilder().setNumClasses(2).addClassWeights(0.5f))
            .build();

    assertThat(ProtoJson.toJson(objective))
        .hasToString("{\"cross_entropy\":{\"num_classes\":2,\"class_weights\":[0.5]}}");
  }

  @Test
  void refusesWhatItDoesNotKnow() {
    assertThatThrownBy(() -> projector("{\"colour\": 1}"))
        .hasMessageContaining("unknown field \"colour\"");
    assertThatThrownBy(() -> projector("{\"kind\": \"PROJECTOR_KIND_CUBIC\"}"))
        .hasMessageContaining("unknown value \"PROJECTOR_KIND_CUBIC\"");
    assertThatThrownBy(() -> projector("{\"output_size\": \"2\"}"))
        .hasMessage("\"output_size\" cannot be \"2\"");
  }

  private static Projector projector(String json) throws JsonProcessingException {
    return ProtoJson.fromJson(new ObjectMapper().readTree(json), Projector.newBuilder()).build();
  }
}
