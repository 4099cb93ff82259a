(module
  (type (;0;) (func (param i32) (result i32)))
  (type (;1;) (func (param i32)))
  (type (;2;) (func))
  (type (;3;) (func (param i32 i32) (result i32)))
  (type (;4;) (func (param i32 i32 i32) (result i32)))
  (type (;5;) (func (result i32)))
  (type (;6;) (func (param i32 i32 i32 i32 i32) (result i32)))
  (type (;7;) (func (param i32 i64)))
  (type (;8;) (func (param i32 i32)))
  (type (;9;) (func (param i32 i64 i32 i32) (result i32)))
  (type (;10;) (func (param i64)))
  (type (;11;) (func (param i32) (result i64)))
  (type (;12;) (func (param i64) (result i64)))
  (type (;13;) (func (param i32 i32 i32 i32) (result i32)))
  (type (;14;) (func (param i32 i32 i32 i64 i32 i64 i64 i64 i64) (result i32)))
  (type (;15;) (func (param i32 i32 i64 i32 i32 i32) (result i32)))
  (type (;16;) (func (param i32 i32 i32 i32 i32 i32) (result i32)))
  (type (;17;) (func (param i64 i64) (result i32)))
  (import "ipld" "block_read" (func (;0;) (type 6)))
  (import "ipld" "block_create" (func (;1;) (type 9)))
  (import "self" "root" (func (;2;) (type 4)))
  (import "vm" "message_context" (func (;3;) (type 0)))
  (import "vm" "exit" (func (;4;) (type 13)))
  (import "send" "send" (func (;5;) (type 14)))
  (import "self" "set_root" (func (;6;) (type 0)))
  (import "ipld" "block_open" (func (;7;) (type 3)))
  (import "ipld" "block_link" (func (;8;) (type 15)))
  (import "event" "emit_event" (func (;9;) (type 16)))
  (func (;10;) (type 1) (param i32)
    (if  ;; label = @1
      (local.get 0)
      (then
        (call 11
          (select
            (i32.const 25)
            (i32.const 20)
            (i32.eq
              (local.get 0)
              (i32.const 13)))))))
  (func (;11;) (type 1) (param i32)
    (call 4
      (local.get 0)
      (i32.const 0)
      (i32.const 0)
      (i32.const 0))
    (unreachable))
  (func (;12;) (type 3) (param i32 i32) (result i32)
    (local i32)
    (i32.store
      (local.tee 2
        (call 13
          (i32.add
            (local.get 0)
            (i32.const 8))))
      (local.get 1))
    (i32.store offset=4
      (local.get 2)
      (local.get 0))
    (i32.add
      (local.get 2)
      (i32.const 8)))
  (func (;13;) (type 0) (param i32) (result i32)
    (local i32)
    (if  ;; label = @1
      (i32.gt_u
        (local.tee 0
          (i32.add
            (local.tee 1
              (global.get 11))
            (i32.and
              (i32.add
                (local.get 0)
                (i32.const 7))
              (i32.const -8))))
        (i32.shl
          (memory.size)
          (i32.const 16)))
      (then
        (if  ;; label = @2
          (i32.lt_s
            (memory.grow
              (i32.sub
                (i32.shr_u
                  (i32.add
                    (local.get 0)
                    (i32.const 65535))
                  (i32.const 16))
                (memory.size)))
            (i32.const 0))
          (then
            (unreachable)))))
    (global.set 11
      (local.get 0))
    (local.get 1))
  (func (;14;) (type 5) (result i32)
    (i32.sub
      (global.get 2)
      (global.get 3)))
  (func (;15;) (type 7) (param i32 i64)
    (local i32 i32 i32)
    (local.set 4
      (i32.shl
        (local.get 0)
        (i32.const 5)))
    (if  ;; label = @1
      (i64.lt_u
        (local.get 1)
        (i64.const 24))
      (then
        (call 25
          (i32.or
            (local.get 4)
            (i32.wrap_i64
              (local.get 1))))
        (return)))
    (global.set 2
      (i32.add
        (local.tee 2
          (i32.shl
            (i32.const 1)
            (local.tee 0
              (select
                (i32.const 3)
                (select
                  (i32.const 2)
                  (i64.ne
                    (i64.shr_u
                      (local.get 1)
                      (i64.const 8))
                    (i64.const 0))
                  (i64.ne
                    (i64.shr_u
                      (local.get 1)
                      (i64.const 16))
                    (i64.const 0)))
                (i64.ne
                  (i64.shr_u
                    (local.get 1)
                    (i64.const 32))
                  (i64.const 0))))))
        (i32.add
          (local.tee 3
            (call 20
              (i32.const 9)))
          (i32.const 1))))
    (i32.store8
      (local.get 3)
      (i32.or
        (local.get 4)
        (i32.add
          (local.get 0)
          (i32.const 24))))
    (i64.store offset=1
      (local.get 3)
      (call 29
        (i64.shl
          (local.get 1)
          (i64.sub
            (i64.const 64)
            (i64.extend_i32_u
              (i32.shl
                (local.get 2)
                (i32.const 3))))))))
  (func (;16;) (type 2)
    (global.set 2
      (call 13
        (i32.const 128)))
    (global.set 3
      (global.get 2))
    (global.set 4
      (i32.add
        (global.get 2)
        (i32.const 128))))
  (func (;17;) (type 8) (param i32 i32)
    (global.set 0
      (local.get 0))
    (global.set 1
      (i32.add
        (local.get 0)
        (local.get 1))))
  (func (;18;) (type 1) (param i32)
    (i64.store
      (global.get 8)
      (i64.const 3))
    (i64.store offset=8
      (global.get 8)
      (i64.const 81))
    (i32.store offset=16
      (global.get 8)
      (local.get 0))
    (i32.store offset=20
      (global.get 8)
      (i32.sub
        (local.tee 0
          (call 14))
        (global.get 9)))
    (global.set 9
      (local.get 0))
    (global.set 8
      (i32.add
        (global.get 8)
        (i32.const 24))))
  (func (;19;) (type 10) (param i64)
    (call 15
      (i32.const 0)
      (local.get 0)))
  (func (;20;) (type 0) (param i32) (result i32)
    (local i32 i32)
    (local.get 0)
    (if  ;; label = @1
      (i32.lt_u
        (global.get 4)
        (i32.add
          (local.tee 1
            (global.get 2))
          (local.get 0)))
      (then
        (if  ;; label = @2
          (i32.gt_u
            (i32.add
              (local.tee 1
                (i32.sub
                  (local.get 1)
                  (global.get 3)))
              (local.get 0))
            (i32.const 1048576))
          (then
            (call 11
              (i32.const 20))))
        (memory.copy
          (local.tee 0
            (call 13
              (local.tee 2
                (i32.shl
                  (i32.add
                    (local.get 0)
                    (local.get 1))
                  (i32.const 1)))))
          (global.get 3)
          (local.get 1))
        (global.set 3
          (local.get 0))
        (global.set 4
          (i32.add
            (local.get 0)
            (local.get 2)))
        (local.set 1
          (i32.add
            (local.get 0)
            (local.get 1)))))
    (local.get 1)
    (global.set 2
      (i32.add))
    (local.get 1))
  (func (;21;) (type 11) (param i32) (result i64)
    (local i64 i32 i32)
    (if  ;; label = @1
      (i32.or
        (i32.gt_u
          (local.tee 3
            (i32.xor
              (i32.load8_u
                (local.tee 2
                  (global.get 0)))
              (i32.shl
                (local.get 0)
                (i32.const 5))))
          (i32.const 27))
        (i32.ge_u
          (local.get 2)
          (global.get 1)))
      (then
        (call 11
          (i32.const 21))))
    (local.set 1
      (i64.extend_i32_u
        (local.get 3)))
    (local.set 0
      (i32.add
        (local.get 2)
        (i32.const 1)))
    (if  ;; label = @1
      (i32.ge_u
        (local.get 3)
        (i32.const 24))
      (then
        (local.set 1
          (i64.shr_u
            (call 29
              (i64.load
                (local.get 0)))
            (i64.sub
              (i64.const 64)
              (i64.extend_i32_s
                (i32.shl
                  (local.tee 2
                    (i32.shl
                      (i32.const 1)
                      (i32.sub
                        (local.get 3)
                        (i32.const 24))))
                  (i32.const 3))))))
        (local.set 0
          (i32.add
            (local.get 0)
            (local.get 2)))))
    (global.set 0
      (local.get 0))
    (if  ;; label = @1
      (i32.gt_u
        (local.get 0)
        (global.get 1))
      (then
        (call 11
          (i32.const 21))))
    (local.get 1))
  (func (;22;) (type 2)
    (local i32 i32)
    (call 16)
    (call 15
      (i32.const 4)
      (i64.const 0))
    (local.set 0
      (global.get 3))
    (if  ;; label = @1
      (i32.eqz
        (if (result i32)  ;; label = @2
          (i32.eq
            (local.tee 1
              (call 14))
            (global.get 6))
          (then
            (call 28
              (local.get 0)
              (global.get 5)
              (local.get 1)))
          (else
            (i32.const 0))))
      (then
        (call 10
          (call 1
            (i32.const 1136)
            (i64.const 113)
            (global.get 3)
            (call 14)))
        (call 10
          (call 8
            (i32.const 1152)
            (i32.load
              (i32.const 1136))
            (i64.const 45600)
            (i32.const 32)
            (i32.const 1168)
            (i32.const 100)))
        (call 10
          (call 6
            (i32.const 1168)))
        (global.set 5
          (local.get 0))
        (global.set 6
          (local.get 1)))))
  (func (;23;) (type 0) (param i32) (result i32)
    (i32.eqz
      (i32.load
        (local.get 0))))
  (func (;24;) (type 2)
    (if  ;; label = @1
      (i64.ne
        (i64.or
          (i64.load
            (i32.const 1544))
          (i64.load
            (i32.const 1552)))
        (i64.const 0))
      (then
        (call 11
          (i32.const 26)))))
  (func (;25;) (type 1) (param i32)
    (i32.store8
      (call 20
        (i32.const 1))
      (local.get 0)))
  (func (;26;) (type 1) (param i32)
    (if  ;; label = @1
      (i64.ne
        (call 21
          (i32.const 4))
        (i64.extend_i32_u
          (local.get 0)))
      (then
        (call 11
          (i32.const 21)))))
  (func (;27;) (type 2)
    (if  ;; label = @1
      (i32.ne
        (global.get 0)
        (global.get 1))
      (then
        (call 11
          (i32.const 21)))))
  (func (;28;) (type 4) (param i32 i32 i32) (result i32)
    (local i32 i32)
    (local.set 4
      (i32.add
        (local.get 0)
        (local.get 2)))
    (loop  ;; label = @1
      (if  ;; label = @2
        (i32.lt_u
          (local.get 0)
          (local.get 4))
        (then
          (local.set 0
            (i32.add
              (local.tee 3
                (local.get 0))
              (i32.const 1)))
          (local.set 1
            (i32.add
              (local.tee 2
                (local.get 1))
              (i32.const 1)))
          (if  ;; label = @3
            (i32.ne
              (i32.load8_u
                (local.get 3))
              (i32.load8_u
                (local.get 2)))
            (then
              (return
                (i32.const 0))))
          (br 1 (;@1;)))))
    (i32.const 1))
  (func (;29;) (type 12) (param i64) (result i64)
    (i64.rotr
      (i64.or
        (i64.and
          (i64.shr_u
            (local.tee 0
              (i64.or
                (i64.and
                  (i64.shr_u
                    (local.get 0)
                    (i64.const 8))
                  (i64.const 71777214294589695))
                (i64.shl
                  (i64.and
                    (local.get 0)
                    (i64.const 71777214294589695))
                  (i64.const 8))))
            (i64.const 16))
          (i64.const 281470681808895))
        (i64.shl
          (i64.and
            (local.get 0)
            (i64.const 281470681808895))
          (i64.const 16)))
      (i64.const 32)))
  (func (;30;) (type 2)
    (local i32 i32)
    (call 10
      (call 2
        (i32.const 1152)
        (i32.const 1168)
        (i32.const 100)))
    (call 10
      (call 7
        (i32.const 1136)
        (i32.const 1168)))
    (local.set 1
      (call 13
        (i32.add
          (local.tee 0
            (i32.load
              (i32.const 1148)))
          (i32.const 8))))
    (call 10
      (call 0
        (i32.const 1152)
        (i32.load
          (i32.const 1144))
        (i32.const 0)
        (local.get 1)
        (local.get 0)))
    (call 17
      (local.get 1)
      (local.get 0))
    (global.set 5
      (global.get 0))
    (global.set 6
      (i32.sub
        (global.get 1)
        (global.get 5)))
    (call 26
      (i32.const 0))
    (call 27))
  (func (;31;) (type 0) (param i32) (result i32)
    (local i64 i32 i32)
    (call 10
      (call 1
        (i32.const 2128)
        (i64.const 81)
        (global.get 3)
        (call 14)))
    (local.set 3
      (i32.load
        (i32.const 2128)))
    (if  ;; label = @1
      (i32.eqz
        (select
          (local.tee 2
            (i32.wrap_i64
              (i64.and
                (local.tee 1
                  (i64.load offset=24
                    (local.get 0)))
                (i64.const 1))))
          (i32.const 1)
          (global.get 10)))
      (then
        (call 22)))
    (local.set 0
      (call 5
        (i32.const 2096)
        (i32.load offset=32
          (local.get 0))
        (i32.load offset=36
          (local.get 0))
        (i64.const 45300949)
        (local.get 3)
        (i64.load offset=8
          (local.get 0))
        (i64.load
          (local.get 0))
        (i64.load offset=16
          (local.get 0))
        (local.get 1)))
    (if  ;; label = @1
      (i32.eqz
        (local.get 2))
      (then
        (if  ;; label = @2
          (if (result i32)  ;; label = @3
            (global.get 10)
            (then
              (call 10
                (call 2
                  (i32.const 1152)
                  (i32.const 1280)
                  (i32.const 100)))
              (i32.eqz
                (call 28
                  (i32.const 1168)
                  (i32.const 1280)
                  (i32.const 38))))
            (else
              (i32.const 0)))
          (then
            (call 30)))))
    (call 17
      (i32.const 0)
      (i32.const 0))
    (if  ;; label = @1
      (local.get 0)
      (then
        (return
          (i32.sub
            (i32.const 0)
            (local.get 0)))))
    (if  ;; label = @1
      (local.tee 0
        (i32.load
          (i32.const 2100)))
      (then
        (call 10
          (call 0
            (i32.const 2128)
            (local.get 0)
            (i32.const 0)
            (local.tee 2
              (call 13
                (i32.add
                  (local.tee 0
                    (i32.load
                      (i32.const 2112)))
                  (i32.const 8))))
            (local.get 0)))
        (call 17
          (local.get 2)
          (local.get 0))))
    (i32.load
      (i32.const 2096)))
  (func (;32;) (type 17) (param i64 i64) (result i32)
    (local i32 i32 i32 i64)
    (local.set 5
      (local.get 0))
    (i32.store8
      (local.tee 4
        (call 13
          (i32.const 11)))
      (i32.const 0))
    (local.set 3
      (i32.add
        (local.get 4)
        (i32.const 1)))
    (loop  ;; label = @1
      (if  ;; label = @2
        (i64.ge_u
          (local.get 5)
          (i64.const 128))
        (then
          (local.set 3
            (i32.add
              (local.tee 2
                (local.get 3))
              (i32.const 1)))
          (i32.store8
            (local.get 2)
            (i32.or
              (i32.wrap_i64
                (local.get 5))
              (i32.const 128)))
          (local.set 5
            (i64.shr_u
              (local.get 5)
              (i64.const 7)))
          (br 1 (;@1;)))))
    (i64.store8
      (local.get 3)
      (local.get 5))
    (local.set 3
      (i32.sub
        (i32.add
          (local.get 3)
          (i32.const 1))
        (local.get 4)))
    (if  ;; label = @1
      (i32.eqz
        (local.tee 2
          (call 12
            (i32.const 40)
            (i32.const 6))))
      (then
        (local.set 2
          (call 12
            (i32.const 40)
            (i32.const 7)))))
    (i32.store offset=32
      (local.get 2)
      (local.get 4))
    (i32.store offset=36
      (local.get 2)
      (local.get 3))
    (i64.store
      (local.get 2)
      (i64.const 0))
    (i64.store offset=8
      (local.get 2)
      (i64.const 0))
    (i64.store offset=16
      (local.get 2)
      (i64.const -1))
    (i64.store offset=24
      (local.get 2)
      (i64.const 0))
    (call 16)
    (call 15
      (i32.const 4)
      (i64.const 1))
    (call 19
      (local.get 1))
    (local.set 4
      (call 31
        (local.get 2)))
    (i32.store
      (local.tee 2
        (call 12
          (i32.const 8)
          (i32.const 9)))
      (global.get 0))
    (i32.store offset=4
      (local.get 2)
      (i32.sub
        (global.get 1)
        (global.get 0)))
    (i32.store
      (local.tee 3
        (call 12
          (i32.const 8)
          (i32.const 8)))
      (local.get 4))
    (i32.store offset=4
      (local.get 3)
      (local.get 2))
    (if  ;; label = @1
      (call 23
        (local.get 3))
      (then
        (i64.store
          (local.tee 2
            (call 12
              (i32.const 16)
              (i32.const 10)))
          (local.get 0))
        (i64.store offset=8
          (local.get 2)
          (local.get 1))
        (global.set 8
          (call 13
            (i32.const 72)))
        (global.set 7
          (global.get 8))
        (global.set 9
          (i32.const 0))
        (call 16)
        (call 15
          (i32.const 3)
          (i64.const 7))
        (memory.copy
          (call 20
            (i32.const 7))
          (i32.const 2136)
          (i32.const 7))
        (call 18
          (i32.const 5))
        (call 19
          (i64.load
            (local.get 2)))
        (call 18
          (i32.const 2))
        (call 19
          (i64.load offset=8
            (local.get 2)))
        (call 18
          (i32.const 2))
        (call 10
          (call 9
            (global.get 7)
            (i32.div_u
              (i32.sub
                (global.get 8)
                (global.get 7))
              (i32.const 24))
            (i32.const 2143)
            (i32.const 9)
            (global.get 3)
            (global.get 9)))))
    (call 23
      (local.get 3)))
  (func (;33;) (type 0) (param i32) (result i32)
    (local i64 i64 i32 i32 i32)
    (if  ;; label = @1
      (i32.eqz
        (global.get 12))
      (then
        (global.set 12
          (i32.const 1))
        (global.set 11
          (i32.const 2152))))
    (call 10
      (call 3
        (i32.const 1504)))
    (if  ;; label = @1
      (i64.eq
        (local.tee 1
          (i64.load
            (i32.const 1536)))
        (i64.const 3721284246))
      (then
        (call 24)
        (if  ;; label = @2
          (i32.eqz
            (local.get 0))
          (then
            (call 11
              (i32.const 16))))
        (call 10
          (call 0
            (i32.const 1584)
            (local.get 0)
            (i32.const 0)
            (i32.const 1600)
            (i32.const 256)))
        (local.set 3
          (i32.add
            (local.tee 5
              (i32.load
                (i32.const 1584)))
            (i32.const 256)))
        (local.set 4
          (i32.const 1600))
        (if  ;; label = @2
          (i32.gt_s
            (local.get 5)
            (i32.const 0))
          (then
            (call 10
              (call 0
                (i32.const 1584)
                (local.get 0)
                (i32.const 0)
                (local.tee 4
                  (call 13
                    (i32.add
                      (local.get 3)
                      (i32.const 8))))
                (local.get 3)))))
        (call 17
          (local.get 4)
          (local.get 3))
        (call 26
          (i32.const 2))
        (call 21
          (i32.const 0))
        (call 21
          (i32.const 0))
        (call 27)
        (call 12
          (i32.const 0)
          (i32.const 5))
        (call 30)
        (global.set 10)
        (call 32)
        (call 22)
        (call 16)
        (i32.const 0)
        (call 25
          (i32.add
            (i32.ne)
            (i32.const 244)))
        (call 10
          (call 1
            (i32.const 1584)
            (i64.const 81)
            (global.get 3)
            (call 14)))
        (return
          (i32.load
            (i32.const 1584)))))
    (if  ;; label = @1
      (i64.eq
        (local.get 1)
        (i64.const 1))
      (then
        (if  ;; label = @2
          (i64.gt_u
            (i64.load
              (i32.const 1520))
            (i64.const 1))
          (then
            (call 11
              (i32.const 18))))
        (call 24)
        (if  ;; label = @2
          (i32.eqz
            (call 12
              (i32.const 0)
              (i32.const 5)))
          (then
            (drop
              (call 12
                (i32.const 0)
                (i32.const 0)))))
        (call 22)
        (return
          (i32.const 0))))
    (call 11
      (i32.const 22))
    (i32.const 0))
  (memory (;0;) 1)
  (global (;0;) (mut i32) (i32.const 0))
  (global (;1;) (mut i32) (i32.const 0))
  (global (;2;) (mut i32) (i32.const 0))
  (global (;3;) (mut i32) (i32.const 0))
  (global (;4;) (mut i32) (i32.const 0))
  (global (;5;) (mut i32) (i32.const 0))
  (global (;6;) (mut i32) (i32.const 0))
  (global (;7;) (mut i32) (i32.const 0))
  (global (;8;) (mut i32) (i32.const 0))
  (global (;9;) (mut i32) (i32.const 0))
  (global (;10;) (mut i32) (i32.const 0))
  (global (;11;) (mut i32) (i32.const 0))
  (global (;12;) (mut i32) (i32.const 0))
  (export "invoke" (func 33))
  (export "memory" (memory 0))
  (data (;0;) (i32.const 1452) "\1c")
  (data (;1;) (i32.const 1464) "\04")
  (data (;2;) (i32.const 2136) "relayed")
  (data (;3;) (i32.const 2143) "$typetoby"))
