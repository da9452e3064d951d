import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// Relative addresses: the hub puts a <base> into the page, so that it works under any path prefix.
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [react()],
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
})
