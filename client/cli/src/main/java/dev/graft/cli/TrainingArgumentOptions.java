package dev.graft.cli;

import com.google.protobuf.Descriptors.FieldDescriptor;
import dev.graft.v1.TrainingArguments;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.TypeConversionException;

/** An option for each field of the contract's TrainingArguments, so that none can be forgotten. */
final class TrainingArgumentOptions {
  private TrainingArgumentOptions() {}

  /** Adds the options to a command; what is given goes to the builder. */
  static void addTo(CommandSpec command, TrainingArguments.Builder target) {
    Properties descriptions = descriptions();
    ArgGroupSpec.Builder group =
        ArgGroupSpec.builder()
            .validate(false)
            .heading(
                "%nTrainingArguments of transformers, with their names, defaults and meaning:%n");
    int order = 0;
    for (FieldDescriptor field : TrainingArguments.getDescriptor().getFields()) {
      group.addArg(
          option(field, descriptions.getProperty(field.getName()), target).order(order++).build());
    }
    command.addArgGroup(group.build());
  }

  static Properties descriptions() {
    Properties descriptions = new Properties();
    try (InputStream in =
        TrainingArgumentOptions.class.getResourceAsStream("training-arguments.properties")) {
      descriptions.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return descriptions;
  }

  private static OptionSpec.Builder option(
      FieldDescriptor field, String description, TrainingArguments.Builder target) {
    OptionSpec.Builder option =
        OptionSpec.builder("--" + field.getName().replace('_', '-'))
            .description(description)
            .setter(
                new picocli.CommandLine.Model.ISetter() {
                  @Override
                  public <T> T set(T value) {
                    if (value == null) { // how the parser says that the option was not given
                      target.clearField(field);
                    } else {
                      target.setField(field, value);
                    }
                    return null;
                  }
                });
    return switch (field.getJavaType()) {
      case DOUBLE -> option.type(Double.class).paramLabel("NUMBER");
      case INT ->
          option.type(Integer.class).paramLabel("COUNT").converters(unsigned(Integer::valueOf));
      case LONG ->
          option
              .type(Long.class)
              .paramLabel("COUNT")
              .converters(
                  field.getType() == FieldDescriptor.Type.UINT64
                      ? unsigned(Long::valueOf)
                      : Long::valueOf);
      case BOOLEAN ->
          option.type(Boolean.class).arity("0..1").fallbackValue("true").paramLabel("true|false");
      case STRING -> option.type(String.class).paramLabel("NAME");
      case ENUM -> {
        Choice<?> choice = Choice.of(field.getEnumType());
        yield option
            .type(Object.class)
            .paramLabel("NAME")
            .converters(choice)
            .completionCandidates(choice);
      }
      case FLOAT, BYTE_STRING, MESSAGE ->
          throw new IllegalStateException("no option is made for fields like " + field);
    };
  }

  private static <N extends Number> ITypeConverter<N> unsigned(ITypeConverter<N> number) {
    return text -> {
      N value = number.convert(text);
      if (value.longValue() < 0) {
        throw new TypeConversionException("'" + text + "' is negative");
      }
      return value;
    };
  }
}
