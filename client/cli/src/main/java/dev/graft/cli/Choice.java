package dev.graft.cli;

import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import dev.graft.cli.bundle.EnumNames;
import dev.graft.cli.items.ObjectiveKind;
import dev.graft.v1.Activation;
import dev.graft.v1.ComputeDtype;
import dev.graft.v1.DataType;
import dev.graft.v1.Overlength;
import dev.graft.v1.Pooling;
import dev.graft.v1.ProjectorKind;
import dev.graft.v1.QuantizationScheme;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Option values that are values of the contract's enums, by {@linkplain EnumNames people's names}.
 */
class Choice<E> implements ITypeConverter<E>, Iterable<String> {
  private final EnumDescriptor type;
  private final IntFunction<E> forNumber;
  private final List<String> names;

  private Choice(EnumDescriptor type, IntFunction<E> forNumber, String... nameOfUnspecified) {
    this.type = type;
    this.forNumber = forNumber;
    this.names = new ArrayList<>(List.of(nameOfUnspecified));
    names.addAll(EnumNames.names(type));
  }

  /** The values of any enum. */
  static Choice<EnumValueDescriptor> of(EnumDescriptor type) {
    return new Choice<>(type, type::findValueByNumber);
  }

  /** Takes a value out of the choice. */
  final void without(String name) {
    names.remove(name);
  }

  @Override
  public E convert(String name) {
    if (names.contains("auto") && name.equalsIgnoreCase("auto")) {
      return forNumber.apply(0);
    }
    EnumValueDescriptor value =
        EnumNames.value(type, name)
            .filter(known -> names.contains(EnumNames.name(known)))
            .orElseThrow(() -> new TypeConversionException(unknown(name, names)));
    return forNumber.apply(value.getNumber());
  }

  private static String unknown(String name, List<String> names) {
    return "'" + name + "' is not one of " + String.join(", ", names);
  }

  @Override
  public Iterator<String> iterator() {
    return names.iterator();
  }

  static final class OfPooling extends Choice<Pooling> {
    OfPooling() {
      super(Pooling.getDescriptor(), Pooling::forNumber);
    }
  }

  static final class OfComputeDtype extends Choice<ComputeDtype> {
    OfComputeDtype() {
      super(ComputeDtype.getDescriptor(), ComputeDtype::forNumber, "auto");
    }
  }

  static final class OfDataType extends Choice<DataType> {
    OfDataType() {
      super(DataType.getDescriptor(), DataType::forNumber);
    }
  }

  static final class OfScheme extends Choice<QuantizationScheme> {
    OfScheme() {
      super(QuantizationScheme.getDescriptor(), QuantizationScheme::forNumber);
    }
  }

  /** Types of weights, by the names that types to compute in have. */
  static final class OfWeightDtype extends Choice<ComputeDtype> {
    private static final String NOT_STORED =
        EnumNames.name(ComputeDtype.COMPUTE_DTYPE_INT8_DYNAMIC.getValueDescriptor());

    OfWeightDtype() {
      super(ComputeDtype.getDescriptor(), ComputeDtype::forNumber);
      without(NOT_STORED);
    }

    /** The type to store in. */
    static DataType stored(ComputeDtype dtype) {
      return switch (dtype) {
        case COMPUTE_DTYPE_UNSPECIFIED, COMPUTE_DTYPE_INT8_DYNAMIC, UNRECOGNIZED ->
            DataType.DATA_TYPE_UNSPECIFIED;
        case COMPUTE_DTYPE_FP32 -> DataType.DATA_TYPE_F32;
        case COMPUTE_DTYPE_BF16 -> DataType.DATA_TYPE_BF16;
        case COMPUTE_DTYPE_FP16 -> DataType.DATA_TYPE_F16;
      };
    }
  }

  static final class OfOverlength extends Choice<Overlength> {
    OfOverlength() {
      super(Overlength.getDescriptor(), Overlength::forNumber);
    }
  }

  static final class OfProjectorKind extends Choice<ProjectorKind> {
    OfProjectorKind() {
      super(ProjectorKind.getDescriptor(), ProjectorKind::forNumber);
    }
  }

  static final class OfActivation extends Choice<Activation> {
    OfActivation() {
      super(Activation.getDescriptor(), Activation::forNumber);
    }
  }

  /** Objectives are messages in the contract; their names are the command's own. */
  static final class OfObjective implements ITypeConverter<ObjectiveKind>, Iterable<String> {
    @Override
    public ObjectiveKind convert(String name) {
      String wanted = name.toLowerCase(Locale.ROOT).replace('-', '_');
      for (ObjectiveKind kind : ObjectiveKind.values()) {
        if (kind.names().contains(wanted)) {
          return kind;
        }
      }
      List<String> names = new ArrayList<>();
      iterator().forEachRemaining(names::add);
      throw new TypeConversionException(unknown(name, names));
    }

    @Override
    public Iterator<String> iterator() {
      List<String> names = new ArrayList<>();
      for (ObjectiveKind kind : ObjectiveKind.values()) {
        names.addAll(kind.names());
      }
      return names.iterator();
    }
  }
}
