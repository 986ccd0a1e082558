;; Rows of the resize `triangle` for RGBA pixels that become fewer, four channels at a time.
;;
;; Products and sums are rounded one by one, as float32 everywhere: no fused multiply-add, so that
;; the result is bit for bit that of the plain loops.
(module
  (memory (export "memory") 1)

  ;; Add a row of pixels, 4 bytes each from $row up to $end, to two rows of sums, 16 bytes a pixel.
  (func (export "addRow")
    (param $row i32) (param $end i32)
    (param $near i32) (param $nearWeight f32)
    (param $far i32) (param $farWeight f32)
    (local $nearWeights v128) (local $farWeights v128) (local $pixel v128)
    (local.set $nearWeights (f32x4.splat (local.get $nearWeight)))
    (local.set $farWeights (f32x4.splat (local.get $farWeight)))
    (loop $next
      (local.set $pixel
        (f32x4.convert_i32x4_u
          (i32x4.extend_low_i16x8_u
            (i16x8.extend_low_i8x16_u
              (v128.load32_zero (local.get $row))))))
      (v128.store (local.get $near)
        (f32x4.add
          (v128.load (local.get $near))
          (f32x4.mul (local.get $pixel) (local.get $nearWeights))))
      (v128.store (local.get $far)
        (f32x4.add
          (v128.load (local.get $far))
          (f32x4.mul (local.get $pixel) (local.get $farWeights))))
      (local.set $row (i32.add (local.get $row) (i32.const 4)))
      (local.set $near (i32.add (local.get $near) (i32.const 16)))
      (local.set $far (i32.add (local.get $far) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $row) (local.get $end)))))

  ;; Resize a row of sums to $count pixels of 12 bytes: RGB. Each takes the pixels from its $first
  ;; on, with the weights from its $begin up to the next one's. Four bytes are written beyond the
  ;; last pixel.
  (func (export "mixColumns")
    (param $sums i32) (param $first i32) (param $begin i32) (param $weights i32)
    (param $out i32) (param $count i32)
    (local $from i32) (local $weight i32) (local $last i32) (local $sum v128)
    (loop $output
      (local.set $sum (v128.const f32x4 0 0 0 0))
      (local.set $from
        (i32.add (local.get $sums) (i32.shl (i32.load (local.get $first)) (i32.const 4))))
      (local.set $weight
        (i32.add (local.get $weights) (i32.shl (i32.load (local.get $begin)) (i32.const 2))))
      (local.set $last
        (i32.add
          (local.get $weights)
          (i32.shl (i32.load offset=4 (local.get $begin)) (i32.const 2))))
      (loop $tap
        (local.set $sum
          (f32x4.add
            (local.get $sum)
            (f32x4.mul (v128.load (local.get $from)) (v128.load32_splat (local.get $weight)))))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (local.set $weight (i32.add (local.get $weight) (i32.const 4)))
        (br_if $tap (i32.lt_u (local.get $weight) (local.get $last))))
      (v128.store (local.get $out) (local.get $sum))
      (local.set $first (i32.add (local.get $first) (i32.const 4)))
      (local.set $begin (i32.add (local.get $begin) (i32.const 4)))
      (local.set $out (i32.add (local.get $out) (i32.const 12)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br_if $output (local.get $count)))))
