//! Builds anew when the screens do, which are held inside the program.
fn main() {
    println!("cargo:rerun-if-changed=../../ui/dist");
}
