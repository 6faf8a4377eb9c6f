/**
 * The only place that touches DJL: tensors and their scopes, TorchScript programs assembled from
 * text, devices, and the lanes that own a device.
 *
 * <p>DJL's JNI aborts the process when a bfloat16 tensor's type is asked for, so a {@link
 * dev.graft.server.torch.Tensor} is an opaque handle: only 32-bit floats and 64-bit integers are
 * ever read.
 */
package dev.graft.server.torch;
