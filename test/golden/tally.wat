(module
  (type (;0;) (func (param i32)))
  (type (;1;) (func (param i32) (result i32)))
  (type (;2;) (func))
  (type (;3;) (func (result i32)))
  (type (;4;) (func (param i32 i32) (result i32)))
  (type (;5;) (func (param i64)))
  (type (;6;) (func (param i32) (result i64)))
  (type (;7;) (func (param i32 i32 i32 i32 i32) (result i32)))
  (type (;8;) (func (param i32 i64 i32 i32) (result i32)))
  (type (;9;) (func (param i32 i64)))
  (type (;10;) (func (param i32 i32)))
  (type (;11;) (func (param i32 i32 i32)))
  (type (;12;) (func (param i64) (result i64)))
  (type (;13;) (func (param i32 i32 i32 i32) (result i32)))
  (type (;14;) (func (param i32 i32 i32) (result i32)))
  (type (;15;) (func (param i32 i32 i64 i32 i32 i32) (result i32)))
  (import "ipld" "block_read" (func (;0;) (type 7)))
  (import "ipld" "block_create" (func (;1;) (type 8)))
  (import "vm" "message_context" (func (;2;) (type 1)))
  (import "vm" "exit" (func (;3;) (type 13)))
  (import "self" "set_root" (func (;4;) (type 1)))
  (import "self" "root" (func (;5;) (type 14)))
  (import "ipld" "block_open" (func (;6;) (type 4)))
  (import "ipld" "block_link" (func (;7;) (type 15)))
  (func (;8;) (type 0) (param i32)
    (call 24
      (local.get 0)
      (i32.const 0)
      (i32.const 0)))
  (func (;9;) (type 0) (param i32)
    (if  ;; label = @1
      (local.get 0)
      (then
        (call 8
          (select
            (i32.const 25)
            (i32.const 20)
            (i32.eq
              (local.get 0)
              (i32.const 13)))))))
  (func (;10;) (type 1) (param i32) (result i32)
    (local i32)
    (if  ;; label = @1
      (i32.gt_u
        (local.tee 0
          (i32.add
            (local.tee 1
              (global.get 7))
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
    (global.set 7
      (local.get 0))
    (local.get 1))
  (func (;11;) (type 5) (param i64)
    (call 19
      (i32.const 0)
      (local.get 0)))
  (func (;12;) (type 6) (param i32) (result i64)
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
        (call 8
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
            (call 25
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
        (call 8
          (i32.const 21))))
    (local.get 1))
  (func (;13;) (type 4) (param i32 i32) (result i32)
    (local i32)
    (i32.store
      (local.tee 2
        (call 10
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
  (func (;14;) (type 2)
    (if  ;; label = @1
      (i64.ne
        (i64.or
          (i64.load
            (i32.const 1544))
          (i64.load
            (i32.const 1552)))
        (i64.const 0))
      (then
        (call 8
          (i32.const 26)))))
  (func (;15;) (type 3) (result i32)
    (i32.sub
      (global.get 2)
      (global.get 3)))
  (func (;16;) (type 2)
    (global.set 2
      (call 10
        (i32.const 128)))
    (global.set 3
      (global.get 2))
    (global.set 4
      (i32.add
        (global.get 2)
        (i32.const 128))))
  (func (;17;) (type 3) (result i32)
    (call 9
      (call 1
        (i32.const 1584)
        (i64.const 81)
        (global.get 3)
        (call 15)))
    (i32.load
      (i32.const 1584)))
  (func (;18;) (type 3) (result i32)
    (call 13
      (i32.const 16)
      (i32.const 5)))
  (func (;19;) (type 9) (param i32 i64)
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
        (i32.store8
          (call 20
            (i32.const 1))
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
      (call 25
        (i64.shl
          (local.get 1)
          (i64.sub
            (i64.const 64)
            (i64.extend_i32_u
              (i32.shl
                (local.get 2)
                (i32.const 3))))))))
  (func (;20;) (type 1) (param i32) (result i32)
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
            (call 8
              (i32.const 20))))
        (memory.copy
          (local.tee 0
            (call 10
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
  (func (;21;) (type 0) (param i32)
    (if  ;; label = @1
      (i64.ne
        (call 12
          (i32.const 4))
        (i64.extend_i32_u
          (local.get 0)))
      (then
        (call 8
          (i32.const 21)))))
  (func (;22;) (type 2)
    (if  ;; label = @1
      (i32.ne
        (global.get 0)
        (global.get 1))
      (then
        (call 8
          (i32.const 21)))))
  (func (;23;) (type 10) (param i32 i32)
    (global.set 0
      (local.get 0))
    (global.set 1
      (i32.add
        (local.get 0)
        (local.get 1))))
  (func (;24;) (type 11) (param i32 i32 i32)
    (call 3
      (local.get 0)
      (i32.const 0)
      (local.get 1)
      (local.get 2))
    (unreachable))
  (func (;25;) (type 12) (param i64) (result i64)
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
  (func (;26;) (type 0) (param i32)
    (local i32 i32 i32 i32 i32 i32)
    (call 16)
    (call 19
      (i32.const 4)
      (i64.const 2))
    (call 11
      (i64.load
        (local.get 0)))
    (call 11
      (i64.load offset=8
        (local.get 0)))
    (local.set 1
      (global.get 3))
    (if  ;; label = @1
      (i32.eqz
        (if (result i32)  ;; label = @2
          (i32.eq
            (local.tee 5
              (call 15))
            (global.get 6))
          (then
            (local.set 2
              (global.get 5))
            (local.set 6
              (i32.add
                (local.get 5)
                (local.tee 0
                  (local.get 1))))
            (block (result i32)  ;; label = @3
              (loop  ;; label = @4
                (if  ;; label = @5
                  (i32.lt_u
                    (local.get 0)
                    (local.get 6))
                  (then
                    (local.set 0
                      (i32.add
                        (local.tee 3
                          (local.get 0))
                        (i32.const 1)))
                    (local.set 2
                      (i32.add
                        (local.tee 4
                          (local.get 2))
                        (i32.const 1)))
                    (drop
                      (br_if 2 (;@3;)
                        (i32.const 0)
                        (i32.ne
                          (i32.load8_u
                            (local.get 3))
                          (i32.load8_u
                            (local.get 4)))))
                    (br 1 (;@4;)))))
              (i32.const 1)))
          (else
            (i32.const 0))))
      (then
        (call 9
          (call 1
            (i32.const 1136)
            (i64.const 113)
            (global.get 3)
            (call 15)))
        (call 9
          (call 7
            (i32.const 1152)
            (i32.load
              (i32.const 1136))
            (i64.const 45600)
            (i32.const 32)
            (i32.const 1168)
            (i32.const 100)))
        (call 9
          (call 4
            (i32.const 1168)))
        (global.set 5
          (local.get 1))
        (global.set 6
          (local.get 5)))))
  (func (;27;) (type 0) (param i32)
    (local i32 i32)
    (call 9
      (call 5
        (i32.const 1152)
        (i32.const 1168)
        (i32.const 100)))
    (call 9
      (call 6
        (i32.const 1136)
        (i32.const 1168)))
    (local.set 2
      (call 10
        (i32.add
          (local.tee 1
            (i32.load
              (i32.const 1148)))
          (i32.const 8))))
    (call 9
      (call 0
        (i32.const 1152)
        (i32.load
          (i32.const 1144))
        (i32.const 0)
        (local.get 2)
        (local.get 1)))
    (call 23
      (local.get 2)
      (local.get 1))
    (global.set 5
      (global.get 0))
    (global.set 6
      (i32.sub
        (global.get 1)
        (global.get 5)))
    (call 21
      (i32.const 2))
    (i64.store
      (local.get 0)
      (call 12
        (i32.const 0)))
    (i64.store offset=8
      (local.get 0)
      (call 12
        (i32.const 0)))
    (call 22))
  (func (;28;) (type 1) (param i32) (result i32)
    (local i64 i32 i32 i32)
    (if  ;; label = @1
      (i32.eqz
        (global.get 8))
      (then
        (global.set 8
          (i32.const 1))
        (global.set 7
          (i32.const 2144))))
    (call 9
      (call 2
        (i32.const 1504)))
    (if  ;; label = @1
      (i64.eq
        (local.tee 1
          (i64.load
            (i32.const 1536)))
        (i64.const 45300949))
      (then
        (call 14)
        (if  ;; label = @2
          (i32.eqz
            (local.get 0))
          (then
            (call 8
              (i32.const 16))))
        (call 9
          (call 0
            (i32.const 1584)
            (local.get 0)
            (i32.const 0)
            (i32.const 1600)
            (i32.const 256)))
        (local.set 2
          (i32.add
            (local.tee 4
              (i32.load
                (i32.const 1584)))
            (i32.const 256)))
        (local.set 3
          (i32.const 1600))
        (if  ;; label = @2
          (i32.gt_s
            (local.get 4)
            (i32.const 0))
          (then
            (call 9
              (call 0
                (i32.const 1584)
                (local.get 0)
                (i32.const 0)
                (local.tee 3
                  (call 10
                    (i32.add
                      (local.get 2)
                      (i32.const 8))))
                (local.get 2)))))
        (call 23
          (local.get 3)
          (local.get 2))
        (call 21
          (i32.const 1))
        (local.set 1
          (call 12
            (i32.const 0)))
        (call 22)
        (call 27
          (local.tee 0
            (call 18)))
        (if  ;; label = @2
          (i64.ne
            (i64.load
              (i32.const 1520))
            (i64.load
              (local.get 0)))
          (then
            (call 8
              (i32.const 18))))
        (if  ;; label = @2
          (i64.ge_u
            (local.get 1)
            (i64.const 1000))
          (then
            (call 24
              (i32.const 16)
              (i32.const 2136)
              (i32.const 8))))
        (i64.store offset=8
          (local.get 0)
          (i64.add
            (local.get 1)
            (i64.load offset=8
              (local.get 0))))
        (i64.load offset=8
          (local.get 0))
        (call 26
          (local.get 0))
        (call 16)
        (call 11)
        (return
          (call 17))))
    (if  ;; label = @1
      (i64.eq
        (local.get 1)
        (i64.const 4253370110))
      (then
        (call 14)
        (call 27
          (local.tee 0
            (call 18)))
        (i64.load offset=8
          (local.get 0))
        (call 16)
        (call 11)
        (return
          (call 17))))
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
            (call 8
              (i32.const 18))))
        (call 14)
        (if  ;; label = @2
          (i32.eqz
            (local.tee 0
              (call 13
                (i32.const 16)
                (i32.const 5))))
          (then
            (local.set 0
              (call 13
                (i32.const 0)
                (i32.const 0)))))
        (i64.store
          (local.get 0)
          (i64.load
            (i32.const 1520)))
        (i64.store offset=8
          (local.get 0)
          (i64.const 0))
        (call 26
          (local.get 0))
        (return
          (i32.const 0))))
    (call 8
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
  (export "invoke" (func 28))
  (export "memory" (memory 0))
  (data (;0;) (i32.const 1452) "\1c")
  (data (;1;) (i32.const 1464) "\04")
  (data (;2;) (i32.const 2136) "too much"))
