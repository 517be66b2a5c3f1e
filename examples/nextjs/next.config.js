// examples/nextjs/next.config.js: what Spillway does, Next.js need not do.
export default {
  compress: false, // The plan's `compress` has zstd and Brotli too.
  poweredByHeader: false,
  eslint: { ignoreDuringBuilds: true },
};
