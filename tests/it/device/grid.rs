//! Programs on grids with libtorch, on the processor: the parameters of every symbol are those of the definition, for every
//! family of the registry.

use crate::common::Random;
use crate::common::families::{classes, examples, expected, for_each_family};
use std::sync::Arc;
use surprisal::engine::{DeviceName, GridNetwork, GridTensors, Kernel};

#[test]
fn tensors_give_the_parameters_of_the_reference() {
    let random = &mut Random(5);
    for_each_family(&[1, 2, 3, 5, 18], |program| {
        let network = Arc::new(GridNetwork::new(Arc::clone(program), Kernel::Scalar).unwrap());
        let tensors = GridTensors::new(&network, DeviceName::TorchCpu).unwrap();
        let (mut examples, classes) = (examples(program, 3, random), classes(&network, 3, random));
        // A short one is taken as if zeros followed.
        let n = examples[2].len() / 2;
        examples[2].truncate(n);
        let all = tensors.all(&examples.iter().map(|e| &e[..]).collect::<Vec<_>>(), &classes).unwrap();
        for (lane, (example, class)) in examples.iter().zip(&classes).enumerate() {
            for (t, expected) in expected(program, example, *class).iter().enumerate() {
                let found: Vec<i64> = all.parameters(t, lane).iter().map(|v| (*v).into()).collect();
                assert_eq!(found, *expected, "{t} of {lane}");
            }
        }
    });
}
