//! What is told to the processor and the system beforehand, so that they need not be waited for.

/// Asks the processor for memory that will be read soon.
#[inline]
pub fn prefetch<T>(data: &[T]) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which reads nothing and is allowed for any address.
    unsafe {
        use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
        _mm_prefetch::<_MM_HINT_T0>(data.as_ptr().cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = data;
}

/// Asks the system for large pages where the room behind what a column holds is not in use yet:
/// they save most of the cost of touching new memory, and of finding places in it.
pub fn huge<T>(column: &mut Vec<T>) {
    #[cfg(target_os = "linux")]
    {
        const SMALL: usize = 4096;
        let room = column.spare_capacity_mut();
        let skip = room.as_ptr().cast::<u8>().align_offset(SMALL);
        let length = std::mem::size_of_val(room).saturating_sub(skip) / SMALL * SMALL;
        if length > 0 {
            // SAFETY: a hint about whole pages within memory that is the column's own.
            unsafe {
                let start = room.as_mut_ptr().cast::<u8>().add(skip);
                libc::madvise(start.cast(), length, libc::MADV_HUGEPAGE);
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = column;
}

/// Makes room for that many more, which costs nothing until it is used. What the system refuses of so
/// large a piece it may still give bit by bit.
pub fn room<T>(column: &mut Vec<T>, count: usize) {
    if column.try_reserve(count).is_ok() {
        huge(column);
    }
}

/// A column of one value, in large pages where the system has them.
pub fn filled<T: Clone>(count: usize, value: T) -> Vec<T> {
    let mut column = Vec::with_capacity(count);
    huge(&mut column);
    column.resize(count, value);
    column
}
