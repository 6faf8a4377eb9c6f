package dev.graft.cli.bundle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.util.Map;

/**
 * Messages of the contract in protobuf's JSON form, with the contract's own field names and with
 * 64-bit numbers as numbers: every protobuf library's JSON parser takes it.
 */
public final class ProtoJson {
  private ProtoJson() {}

  /** The message; fields that are unset are left out. */
  public static ObjectNode toJson(Message message) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
      if (field.isRepeated()) {
        if (message.getRepeatedFieldCount(field) > 0) {
          ArrayNode values = json.putArray(field.getName());
          for (int index = 0; index < message.getRepeatedFieldCount(field); index++) {
            values.add(toNode(field, message.getRepeatedField(field, index)));
          }
        }
      } else if (!field.hasPresence() || message.hasField(field)) {
        if (!isUnspecified(field, message.getField(field))) {
          json.set(field.getName(), toNode(field, message.getField(field)));
        }
      }
    }
    return json;
  }

  private static boolean isUnspecified(FieldDescriptor field, Object value) {
    return field.getJavaType() == FieldDescriptor.JavaType.ENUM
        && ((EnumValueDescriptor) value).getNumber() == 0;
  }

  private static JsonNode toNode(FieldDescriptor field, Object value) {
    JsonNodeFactory nodes = JsonNodeFactory.instance;
    return switch (field.getJavaType()) {
      case INT -> nodes.numberNode((Integer) value);
      case LONG -> nodes.numberNode((Long) value);
      case FLOAT -> nodes.numberNode((Float) value);
      case DOUBLE -> nodes.numberNode((Double) value);
      case BOOLEAN -> nodes.booleanNode((Boolean) value);
      case STRING -> nodes.textNode((String) value);
      case ENUM -> nodes.textNode(((EnumValueDescriptor) value).getName());
      case MESSAGE -> toJson((Message) value);
      case BYTE_STRING -> throw new IllegalArgumentException(field + " has no JSON form here");
    };
  }

  /**
   * Fills a message from JSON.
   *
   * @throws IllegalArgumentException if a field is unknown or its value has the wrong type
   */
  public static <B extends Message.Builder> B fromJson(JsonNode json, B message) {
    for (Map.Entry<String, JsonNode> entry : json.properties()) {
      FieldDescriptor field = message.getDescriptorForType().findFieldByName(entry.getKey());
      if (field == null) {
        throw new IllegalArgumentException(
            "unknown field \"" + entry.getKey() + "\"; was it written by a newer version?");
      }
      if (field.isRepeated()) {
        entry.getValue().forEach(v -> message.addRepeatedField(field, toValue(field, v, message)));
      } else {
        message.setField(field, toValue(field, entry.getValue(), message));
      }
    }
    return message;
  }

  private static Object toValue(FieldDescriptor field, JsonNode json, Message.Builder parent) {
    boolean fits =
        switch (field.getJavaType()) {
          case INT -> json.canConvertToInt();
          case LONG -> json.canConvertToLong();
          case FLOAT, DOUBLE -> json.isNumber();
          case BOOLEAN -> json.isBoolean();
          case STRING, ENUM -> json.isTextual();
          case MESSAGE -> json.isObject();
          case BYTE_STRING -> false;
        };
    if (!fits) {
      throw new IllegalArgumentException("\"" + field.getName() + "\" cannot be " + json);
    }
    return switch (field.getJavaType()) {
      case INT -> json.intValue();
      case LONG -> json.longValue();
      case FLOAT -> json.floatValue();
      case DOUBLE -> json.doubleValue();
      case BOOLEAN -> json.booleanValue();
      case STRING -> json.textValue();
      case ENUM -> enumValue(field, json.textValue());
      case MESSAGE -> fromJson(json, parent.newBuilderForField(field)).build();
      case BYTE_STRING -> throw new IllegalArgumentException(field + " has no JSON form here");
    };
  }

  private static EnumValueDescriptor enumValue(FieldDescriptor field, String name) {
    EnumValueDescriptor value = field.getEnumType().findValueByName(name);
    if (value == null) {
      throw new IllegalArgumentException(
          "\"" + field.getName() + "\" has the unknown value \"" + name + "\"");
    }
    return value;
  }
}
