package dev.graft.server.backbones;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.GraftException;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every option of a configuration is read, harmless, or refused by name. */
class OptionsTest {
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          llama       | {"quantization_config": {"quant_method": "hqq"}} | quantization_config
          llama       | {"pruned_heads": {"0": [1]}}                     | pruned_heads
          llama       | {"per_layer_config": {"0": {"head_dim": 8}}}     | per_layer_config
          llama       | {"auto_map": {"AutoModel": "modeling.Model"}}    | auto_map
          llama       | {"is_causal": false}                             | is_causal
          llama       | {"is_encoder_decoder": true}                     | is_encoder_decoder
          llama       | {"hidden_act": "prelu"}                          | hidden_act
          llama       | {"hidden_act": "xielu"}                          | hidden_act
          llama       | {"layer_types": ["sliding_attention"]}           | layer_types
          llama       | {"partial_rotary_factor": 0.5}                   | partial_rotary_factor
          llama       | {"rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.5}} | partial_rotary_factor
          llama       | {"rope_parameters": {"rope_type": "longrope", "short_factor": [1]}} | rope_type
          llama       | {"rope_parameters": {"rope_type": "proportional"}} | rope_type
          llama       | {"rope_scaling": {"type": "su", "factor": 2}}    | type
          llama       | {"rope_parameters": {"full_attention": {"rope_type": "default"}}} | full_attention
          mistral     | {"layer_types": ["full_attention"]}              | layer_types
          mistral     | {"is_causal": false}                             | is_causal
          qwen2       | {"num_hidden_layers": 1, "layer_types": ["chunked_attention"]} | layer_types
          qwen2       | {"num_hidden_layers": 1, "layer_types": ["sliding_attention"]} | layer_types
          qwen2       | {"use_mrope": true}                              | use_mrope
          qwen2       | {"rope_scaling": {"type": "mrope", "mrope_section": [2, 1, 1]}} | type
          qwen3       | {"num_hidden_layers": 1, "layer_types": ["linear_attention"]} | layer_types
          gpt2        | {"add_cross_attention": true}                    | add_cross_attention
          gpt2        | {"activation_function": "swiglu"}                | activation_function
          gpt2        | {"is_causal": false}                             | is_causal
          bert        | {"is_decoder": true}                             | is_decoder
          bert        | {"add_cross_attention": true}                    | add_cross_attention
          bert        | {"position_embedding_type": "relative_key"}      | position_embedding_type
          bert        | {"position_embedding_type": "alibi"}             | position_embedding_type
          bert        | {"pruned_heads": {"0": [1]}}                     | pruned_heads
          bert        | {"quantization_config": {"quant_method": "fp8"}} | quantization_config
          roberta     | {"position_embedding_type": "relative_key_query"} | position_embedding_type
          xlm-roberta | {"is_decoder": true}                             | is_decoder
          camembert   | {"hidden_act": "geglu"}                          | hidden_act
          """)
  void refusesWhatIsNotImplemented(String modelType, String options, String option)
      throws IOException {
    GraftException error = error(modelType, options);
    assertThat(error.category()).isEqualTo(GraftException.Category.FAILED_PRECONDITION);
    assertThat(error.reason()).isEqualTo("UNSUPPORTED_OPTION");
    assertThat(error.metadata()).containsEntry("option", option).containsKey("value");
    assertThat(error).hasMessageContaining(option);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          llama   | {"hidden_size": -48}                     | hidden_size
          llama   | {"hidden_size": 0}                       | hidden_size
          llama   | {"hidden_size": "48"}                    | hidden_size
          llama   | {"hidden_size": 48.5}                    | hidden_size
          llama   | {"hidden_size": null}                    | hidden_size
          llama   | {"hidden_size": 1e300}                   | hidden_size
          llama   | {"hidden_size": 99999999999999999999}    | hidden_size
          llama   | {"num_hidden_layers": 1000000000}        | num_hidden_layers
          llama   | {"num_hidden_layers": 0}                 | num_hidden_layers
          llama   | {"num_attention_heads": 3, "num_key_value_heads": 2} | num_key_value_heads
          llama   | {"num_attention_heads": 7, "num_key_value_heads": 7} | num_attention_heads
          llama   | {"head_dim": 7}                          | head_dim
          llama   | {"head_dim": -2}                         | head_dim
          llama   | {"rms_norm_eps": 0}                      | rms_norm_eps
          llama   | {"rms_norm_eps": -1e-6}                  | rms_norm_eps
          llama   | {"rms_norm_eps": NaN}                    | rms_norm_eps
          llama   | {"rms_norm_eps": Infinity}               | rms_norm_eps
          llama   | {"attention_bias": "yes"}                | attention_bias
          llama   | {"mlp_bias": 1}                          | mlp_bias
          llama   | {"hidden_act": 3}                        | hidden_act
          llama   | {"vocab_size": []}                       | vocab_size
          llama   | {"max_position_embeddings": true}        | max_position_embeddings
          llama   | {"layer_types": [1, 2]}                  | layer_types
          llama   | {"rope_theta": 0}                        | rope_theta
          llama   | {"rope_parameters": "default"}           | rope_parameters
          llama   | {"rope_parameters": {"rope_type": 1}}    | rope_type
          llama   | {"rope_parameters": {"rope_type": "linear"}} | factor
          llama   | {"rope_parameters": {"rope_type": "linear", "factor": -2}} | factor
          llama   | {"rope_parameters": {"rope_type": "yarn", "original_max_position_embeddings": 8}} | factor
          llama   | {"rope_parameters": {"rope_type": "yarn", "factor": 2, "rope_theta": 1}} | rope_theta
          llama   | {"rope_parameters": {"rope_type": "llama3", "factor": 2, "low_freq_factor": 1}} | high_freq_factor
          llama   | {"rope_parameters": {"rope_type": "llama3", "factor": 2, "low_freq_factor": 1, "high_freq_factor": 1}} | high_freq_factor
          mistral | {"sliding_window": 0}                    | sliding_window
          mistral | {"sliding_window": -5}                   | sliding_window
          qwen2   | {"layer_types": ["full_attention"], "num_hidden_layers": 2} | layer_types
          qwen2   | {"max_window_layers": -1}                | max_window_layers
          qwen2   | {"use_sliding_window": "no"}             | use_sliding_window
          gpt2    | {"n_head": 5}                            | num_attention_heads
          gpt2    | {"n_inner": 0}                           | n_inner
          gpt2    | {"layer_norm_epsilon": 0}                | layer_norm_epsilon
          gpt2    | {"n_positions": 2147483648}              | n_positions
          bert    | {"num_attention_heads": 5}               | num_attention_heads
          bert    | {"layer_norm_eps": 0}                    | layer_norm_eps
          bert    | {"type_vocab_size": 0}                   | type_vocab_size
          roberta | {"pad_token_id": null}                   | pad_token_id
          roberta | {"pad_token_id": 5000}                   | pad_token_id
          roberta | {"pad_token_id": -1}                     | pad_token_id
          """)
  void refusesWhatNoModelCanHave(String modelType, String options, String option)
      throws IOException {
    GraftException error = error(modelType, options);
    assertThat(error.category()).isEqualTo(GraftException.Category.FAILED_PRECONDITION);
    assertThat(error.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    assertThat(error.metadata()).containsEntry("option", option);
    assertThat(error).hasMessageContaining(option).hasMessageContaining("config.json");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          llama   | {}
          llama   | {"quantization_config": null, "pruned_heads": {}, "auto_map": {"AutoConfig": "a.B"}}
          llama   | {"some_new_option": {"of": "tomorrow"}, "pretraining_tp": 4, "use_cache": false}
          llama   | {"num_key_value_heads": null, "head_dim": null, "layer_types": null}
          llama   | {"rope_scaling": null, "rope_parameters": null, "partial_rotary_factor": 1.0}
          llama   | {"is_causal": true, "layer_types": ["full_attention"]}
          mistral | {"sliding_window": null}
          qwen2   | {"use_sliding_window": true, "sliding_window": null}
          gpt2    | {"hidden_size": 24, "num_attention_heads": 3, "n_inner": null}
          bert    | {"is_decoder": false, "add_cross_attention": false, "chunk_size_feed_forward": 3}
          """)
  void acceptsWhatChangesNothing(String modelType, String options) throws IOException {
    assertThat(read(modelType, options).modelType()).isEqualTo(modelType);
  }

  @Test
  void listsWhatIsSupported() throws IOException {
    for (String modelType : Backbones.supported()) {
      assertThat(read(modelType, "{}").modelType()).isEqualTo(modelType);
    }
    GraftException error = error("mamba", "{}");
    assertThat(error.category()).isEqualTo(GraftException.Category.FAILED_PRECONDITION);
    assertThat(error.reason()).isEqualTo("UNSUPPORTED_ARCHITECTURE");
    assertThat(error).hasMessageContaining("mamba").hasMessageContaining("xlm-roberta");
  }

  @Test
  void longestRowFollowsFromPositionsAndStretching() throws IOException {
    assertThat(read("llama", "{}").maxTokens()).isEqualTo(2048);
    assertThat(read("llama", rope("linear")).maxTokens()).isEqualTo(8192);
    assertThat(read("llama", rope("dynamic")).maxTokens()).isEqualTo(8192);
    assertThat(read("llama", rope("yarn")).maxTokens()).isEqualTo(2048);
    assertThat(read("roberta", "{\"max_position_embeddings\": 514}").maxTokens()).isEqualTo(512);
    assertThat(read("gpt2", "{}").maxTokens()).isEqualTo(1024);
  }

  private static String rope(String type) {
    return "{\"rope_scaling\": {\"type\": \"%s\", \"factor\": 4}}".formatted(type);
  }

  private static GraftException error(String modelType, String options) {
    return catchThrowableOfType(GraftException.class, () -> read(modelType, options));
  }

  private static Architecture read(String modelType, String options) throws IOException {
    ObjectNode config = (ObjectNode) JSON.readTree(options);
    return Backbones.architecture(config.put("model_type", modelType));
  }
}
