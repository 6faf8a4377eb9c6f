package dev.graft.server.checkpoints;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Writes small ONNX models, right or wrong. */
final class OnnxBuilder {
  static final int FLOAT = 1;
  static final int INT64 = 7;

  private static final int LENGTH_DELIMITED = 2;

  private final ByteArrayOutputStream graph = new ByteArrayOutputStream();

  /** A BERT of one layer: 5 words, 3 positions, 2 types, width 4, 2 heads, 6 between. */
  static OnnxBuilder bert() {
    String self = "encoder.layer.0.attention.self.";
    String layer = "encoder.layer.0.";
    OnnxBuilder model = new OnnxBuilder();
    model.parameter("embeddings.word_embeddings.weight", 5, 4);
    model.parameter("embeddings.position_embeddings.weight", 3, 4);
    model.parameter("embeddings.token_type_embeddings.weight", 2, 4);
    model.parameter("embeddings.LayerNorm.weight", 4);
    model.parameter("embeddings.LayerNorm.bias", 4);
    model.norm("embedded", "embeddings.LayerNorm", "hidden");
    model.constant("heads", INT64, longs(0, 0, 2, 2), 4);
    for (String name : List.of("query", "key", "value")) {
      model.linear("hidden", self + name, name, 4, 4);
      model.node("Reshape", List.of(name, "heads"), name + ".heads");
    }
    model.linear("attended", layer + "attention.output.dense", "projected", 4, 4);
    model.linear("normed", layer + "intermediate.dense", "wide", 4, 6);
    model.node("Erf", List.of("wide"), "activated");
    model.linear("activated", layer + "output.dense", "narrow", 6, 4);
    return model;
  }

  /** A float parameter whose values count from 0. */
  OnnxBuilder parameter(String name, long... shape) {
    return initializer(tensor(name, FLOAT, counting(shape), shape));
  }

  /** Adds a TensorProto. */
  OnnxBuilder initializer(byte[] tensor) {
    graph.writeBytes(message(5, tensor));
    return this;
  }

  /** x W + b, with W as [in, out] under a name that says nothing. */
  OnnxBuilder linear(String input, String module, String output, long in, long out) {
    parameter("onnx::MatMul_" + output, in, out);
    parameter(module + ".bias", out);
    node("MatMul", List.of(input, "onnx::MatMul_" + output), output + ".product");
    return node("Add", List.of(module + ".bias", output + ".product"), output);
  }

  /** A norm with epsilon 1e-12, in single operators. */
  OnnxBuilder norm(String input, String module, String output) {
    node("ReduceMean", List.of(input + ".squared"), output + ".variance");
    constant(output + ".epsilon", FLOAT, floats(1e-12f));
    node("Add", List.of(output + ".variance", output + ".epsilon"), output + ".sum");
    node("Sqrt", List.of(output + ".sum"), output + ".deviation");
    node("Div", List.of(input, output + ".deviation"), output + ".quotient");
    node("Mul", List.of(output + ".quotient", module + ".weight"), output + ".scaled");
    return node("Add", List.of(output + ".scaled", module + ".bias"), output);
  }

  OnnxBuilder constant(String output, int type, byte[] raw, long... shape) {
    return node(
        "Constant",
        List.of(),
        output,
        attribute("value", message(5, tensor("", type, raw, shape))));
  }

  OnnxBuilder node(String operator, List<String> inputs, String output, byte[]... attributes) {
    return nodeOf("", operator, inputs, output, attributes);
  }

  OnnxBuilder nodeOf(
      String domain, String operator, List<String> inputs, String output, byte[]... attributes) {
    ByteArrayOutputStream node = new ByteArrayOutputStream();
    inputs.forEach(input -> node.writeBytes(text(1, input)));
    node.writeBytes(text(2, output));
    node.writeBytes(text(4, operator));
    for (byte[] attribute : attributes) {
      node.writeBytes(message(5, attribute));
    }
    node.writeBytes(text(7, domain));
    graph.writeBytes(message(1, node.toByteArray()));
    return this;
  }

  /** The model: version, graph, operator set. */
  byte[] build() {
    return concat(
        number(1, 8),
        message(7, graph.toByteArray()),
        message(8, concat(text(1, ""), number(2, 17))));
  }

  /** A TensorProto with raw_data. */
  static byte[] tensor(String name, int type, byte[] raw, long... shape) {
    return concat(tensorHead(name, type, shape), message(9, raw));
  }

  /** A TensorProto without its data. */
  static byte[] tensorHead(String name, int type, long... shape) {
    ByteArrayOutputStream tensor = new ByteArrayOutputStream();
    for (long size : shape) {
      tensor.writeBytes(number(1, size));
    }
    tensor.writeBytes(number(2, type));
    tensor.writeBytes(text(8, name));
    return tensor.toByteArray();
  }

  static byte[] attribute(String name, byte[] value) {
    return concat(text(1, name), value);
  }

  static byte[] text(int field, String text) {
    return message(field, text.getBytes(StandardCharsets.UTF_8));
  }

  static byte[] message(int field, byte[] bytes) {
    return concat(tag(field, LENGTH_DELIMITED), varint(bytes.length), bytes);
  }

  static byte[] number(int field, long value) {
    return concat(tag(field, 0), varint(value));
  }

  static byte[] fixed32(int field, float value) {
    return concat(tag(field, 5), floats(value));
  }

  static byte[] floats(float... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }

  static byte[] longs(long... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asLongBuffer().put(values);
    return bytes.array();
  }

  static byte[] counting(long... shape) {
    long count = 1;
    for (long size : shape) {
      count *= size;
    }
    float[] values = new float[(int) count];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    return floats(values);
  }

  static byte[] tag(int field, int wireType) {
    return varint(((long) field << 3) | wireType);
  }

  static byte[] varint(long value) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      bytes.write((int) ((rest & 0x7f) | 0x80));
      rest >>>= 7;
    }
    bytes.write((int) rest);
    return bytes.toByteArray();
  }

  static byte[] concat(byte[]... parts) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      bytes.writeBytes(part);
    }
    return bytes.toByteArray();
  }
}
